import { EXPECTED_SHARE } from '../../../planner/quantizer/larger-file.ts'
import { BASE_SCHEMES, parseScheme } from '../../../shared/schemes.ts'
import type { Judged } from './judge.ts'
import type { Outcome } from './quantize-file.ts'

/** What a user may think of a command: the first three keep what was promised. */
export type Verdict =
  /** It does what it said. */
  | { readonly kind: 'kept' }
  /** It is poor, or too large beside its source, and was said to be. */
  | { readonly kind: 'warned'; readonly of: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string }
  /** It is poor, or too large beside its source, without a word. */
  | { readonly kind: 'silent'; readonly about: readonly string[] }
  /** It falls short of the level that was printed. */
  | { readonly kind: 'broken'; readonly short: readonly string[] }
  | { readonly kind: 'crashed'; readonly how: string }

/** Below this answers change: who gets less must be told. */
const NOISY_DB = 20

/** Other samples than those whose level was printed: so much less is chance, or what was printed to be open. */
const TOLERANCE_DB = 6

/** Of an error of a hundredth nobody needs to know how little it is: answers change at a tenth. */
const PERFECT_DB = 40

/** A level that is uncertain is a warning where answers may change. */
const POOR: ReadonlySet<string> = new Set(['output-noisy', 'slice-died', 'level-uncertain'])

const OF_SIZE: ReadonlySet<string> = new Set(['larger-than-source', 'hardly-smaller'])

/** What a file may take of its source without a word. */
function expectedShare(scheme: string): number {
  const { weights } = BASE_SCHEMES[parseScheme(scheme).base]
  return weights === 'float16' || weights === 'float32' ? 1 : EXPECTED_SHARE
}

/** @param judged null where nothing was written */
export function verdictOn(
  outcome: Outcome,
  judged: Judged | { readonly error: string } | null,
  sourceBytes: number,
  scheme: string,
): Verdict {
  if (outcome.kind === 'crashed') return outcome
  if (outcome.kind === 'refused') return { kind: 'refused', reason: outcome.reason }
  if (judged === null || 'error' in judged)
    return { kind: 'crashed', how: `its file does not run: ${judged?.error ?? 'not tried'}` }
  const { findings, level } = outcome.printed
  const warned = findings.filter(({ severity }) => severity !== 'info')
  const noisy = judged.outputs.filter(({ sqnrDb }) => (sqnrDb ?? 0) < NOISY_DB)
  const about = noisy
    .filter(
      ({ name }) => !warned.some(({ code, where = '' }) => POOR.has(code) && isPartOf(where, name)),
    )
    .map(({ name, sqnrDb }) => `"${name}" has ${sqnrDb?.toFixed(1)} dB`)
  const large = outcome.bytes > expectedShare(scheme) * sourceBytes
  if (large && !findings.some(({ code }) => OF_SIZE.has(code)))
    about.push(`${((100 * outcome.bytes) / sourceBytes).toFixed(0)} % of its source`)
  if (about.length > 0) return { kind: 'silent', about }
  const uncertain = findings
    .filter(({ code }) => code === 'level-uncertain')
    .map(({ where }) => where)
  const promised = judged.outputs.filter(({ name }) => !uncertain.includes(name))
  const short = promised.flatMap(({ name, sqnrDb }) => {
    const printed = level?.outputs.find((one) => one.name === name)
    const said = printed?.sqnrDb ?? null
    const open = Math.max(TOLERANCE_DB, printed?.spreadDb ?? 0)
    const reached = Math.min(PERFECT_DB, said ?? Number.NEGATIVE_INFINITY) - open
    return (sqnrDb ?? 0) < reached
      ? [`"${name}" has ${sqnrDb?.toFixed(1)} of ${said?.toFixed(1)} dB`]
      : []
  })
  if (short.length > 0) return { kind: 'broken', short }
  const of = [...noisy.map(({ name }) => name), ...(large ? ['its size'] : [])]
  return of.length > 0 ? { kind: 'warned', of } : { kind: 'kept' }
}

/** An output itself, or one of its parts: `scores`, `scores[..., 4:84]`. */
function isPartOf(where: string, output: string): boolean {
  return where === output || where.startsWith(`${output}[`)
}

/** Whether it is what was promised of every file: none silent, none broken, none crashed. */
export function keepsPromise({ kind }: Verdict): boolean {
  return kind === 'kept' || kind === 'warned' || kind === 'refused'
}
