import { z } from 'zod'
import { UsageError } from '../../shared/errors.ts'

/** How many devices of a class a wave reaches in all, counting the waves before it. */
export const waveSchema = z.union([
  z.object({ count: z.number().int().positive() }),
  z.object({ share: z.number().gt(0).max(1) }),
])
export type Wave = z.infer<typeof waveSchema>

export const DEFAULT_WAVES = '1,10%,100%'

/** `1,10%,100%` → one device, then a tenth of the class, then all. @throws UsageError */
export function parseWaves(text: string): readonly Wave[] {
  const waves = text.split(',').map((word) => parseWave(word.trim(), text))
  const last = waves.at(-1)
  if (!last || !('share' in last) || last.share !== 1) {
    throw new UsageError(`waves "${text}" do not end with 100%: no wave would reach every device`)
  }
  return waves
}

export function printWaves(waves: readonly Wave[]): string {
  return waves.map((w) => ('count' in w ? `${w.count}` : `${w.share * 100}%`)).join(',')
}

/** Devices to reach by the end of this wave in a class of this size: at least one, at most all. */
export function waveTarget(wave: Wave, classSize: number): number {
  const wanted = 'count' in wave ? wave.count : Math.ceil(wave.share * classSize - 1e-9)
  return Math.min(Math.max(wanted, 1), classSize)
}

function parseWave(word: string, text: string): Wave {
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
