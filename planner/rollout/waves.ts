import { z } from 'zod'
import { UsageError } from '../../shared/errors.ts'
import { parseSelector, printSelector, selectorSchema } from '../groups/index.ts'

/** How many devices of a class a wave reaches in all, counting the waves before it; or which ones besides. */
export const waveSchema = z.union([
  z.object({ count: z.number().int().positive() }),
  z.object({ share: z.number().gt(0).max(1) }),
  z.object({ where: selectorSchema.min(1) }),
])
export type Wave = z.infer<typeof waveSchema>
/** A wave that says how many, not who. */
export type CountedWave = Exclude<Wave, { where: unknown }>

export const DEFAULT_WAVES = '1,10%,100%'

/**
 * `1,10%,100%` → one device, then a tenth of the class, then all; `site=pilot,100%` → those with the label, then all.
 * @throws UsageError
 */
export function parseWaves(text: string): readonly Wave[] {
  const waves = text.split(/,(?![^(]*\))/).map((word) => parseWave(word.trim(), text))
  const last = waves.at(-1)
  if (!last || !('share' in last) || last.share !== 1) {
    throw new UsageError(`waves "${text}" do not end with 100%: no wave would reach every device`)
  }
  return waves
}

export function printWaves(waves: readonly Wave[]): string {
  return waves.map(printWave).join(',')
}

export function printWave(wave: Wave): string {
  if ('where' in wave) return printSelector(wave.where, '&')
  return 'count' in wave ? `${wave.count}` : `${wave.share * 100}%`
}

/** Devices to reach by the end of this wave in a class of this size: at least one, at most all. */
export function waveTarget(wave: CountedWave, classSize: number): number {
  const wanted = 'count' in wave ? wave.count : Math.ceil(wave.share * classSize - 1e-9)
  return Math.min(Math.max(wanted, 1), classSize)
}

/** Words that begin like a selector: neither a number nor a percentage begins with a letter. */
const SELECTING = /^!? *[A-Za-z]/

function parseWave(word: string, text: string): Wave {
  if (SELECTING.test(word)) return { where: [...parseSelector(word)] }
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(word)
  const number = Number(match?.[1])
  const wave = match?.[2] === '%' ? { share: number / 100 } : { count: number }
  const parsed = waveSchema.safeParse(wave)
  if (!match || !parsed.success) {
    throw new UsageError(
      `wave "${word}" in "${text}" is neither a number of devices nor a percentage: write e.g. ${DEFAULT_WAVES}`,
    )
  }
  return parsed.data
}
