import type { Architecture, IsaFeature } from '../../shared/messages/index.ts'
import { type FlagDialect, featuresOf } from './isa-features.ts'

export interface CpuPart {
  readonly implementer: string
  readonly part: string
  readonly count: number
}

/** What /proc/cpuinfo says, whatever the kernel's dialect. */
export interface CpuInfo {
  readonly architecture: Architecture
  /** Processors listed; 0 when the text is no cpuinfo. */
  readonly processors: number
  /** Only what every listed processor has: threads migrate between cores. */
  readonly features: readonly IsaFeature[]
  readonly parts: readonly CpuPart[]
  readonly modelName: string | null
  /** The `Model` line that Raspberry Pi kernels add. */
  readonly boardModel: string | null
}

export function parseCpuinfo(text: string): CpuInfo {
  const lines = entriesOf(text)
  const valuesOf = (key: string) => lines.filter((line) => line.key === key).map((l) => l.value)
  const flags = commonFlags([...valuesOf('flags'), ...valuesOf('Features')])
  const dialect: FlagDialect = valuesOf('flags').length > 0 ? 'x86' : 'arm'
  const processors = valuesOf('processor').filter((value) => /^\d+$/.test(value)).length
  return {
    architecture: architectureOf(flags, dialect, valuesOf('isa')),
    processors,
    features: featuresOf(flags, dialect),
    parts: partsOf(lines, processors),
    modelName: valuesOf('model name')[0] ?? valuesOf('Processor')[0] ?? null,
    boardModel: valuesOf('Model')[0] ?? null,
  }
}

interface Entry {
  readonly key: string
  readonly value: string
}

function entriesOf(text: string): Entry[] {
  const entries: Entry[] = []
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    entries.push({ key: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() })
  }
  return entries
}

function commonFlags(flagLines: readonly string[]): ReadonlySet<string> {
  const distinct = [...new Set(flagLines)].map((line) => new Set(line.split(/\s+/)))
  const [first, ...others] = distinct
  if (first === undefined) return new Set()
  return new Set([...first].filter((flag) => others.every((other) => other.has(flag))))
}

/**
 * cpuinfo names no architecture, but its words betray it: `lm` is x86 long mode; 64-bit ARM kernels say
 * `asimd` to 64-bit readers, and `half`/`thumb` belong to the 32-bit dialect.
 */
function architectureOf(
  flags: ReadonlySet<string>,
  dialect: FlagDialect,
  isa: readonly string[],
): Architecture {
  if (isa.some((name) => name.startsWith('rv64'))) return 'riscv64'
  if (dialect === 'x86' && flags.has('fpu')) return flags.has('lm') ? 'x64' : 'ia32'
  if (flags.has('half') || flags.has('thumb')) return 'arm'
  if (flags.has('asimd') || flags.has('fp')) return 'arm64'
  return 'other'
}

function partsOf(lines: readonly Entry[], processors: number): CpuPart[] {
  const counts = new Map<string, number>()
  let implementer = ''
  for (const { key, value } of lines) {
    if (key === 'CPU implementer') implementer = value.toLowerCase()
    if (key !== 'CPU part' || !isHex(implementer) || !isHex(value)) continue
    const pair = `${implementer}/${value.toLowerCase()}`
    counts.set(pair, (counts.get(pair) ?? 0) + 1)
  }
  const pairs = [...counts]
  return pairs.map(([pair, count]) => {
    const [maker = '', part = ''] = pair.split('/')
    // Kernels before 3.8 print the part once, after all processors.
    const once = pairs.length === 1 && count === 1
    return { implementer: maker, part, count: once ? Math.max(1, processors) : count }
  })
}

function isHex(text: string): boolean {
  return /^0x[0-9a-f]{1,8}$/i.test(text)
}
