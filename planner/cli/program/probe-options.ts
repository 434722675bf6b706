import { z } from 'zod'
import { decimal, wholeNumber } from '../../../shared/command-line/index.ts'
import { parseDuration } from '../../../shared/units.ts'
import type { ProbePolicy } from '../../probing/index.ts'

/** How a model's probes are made, beside the usual hot loop. */
export const PROBE_OPTIONS = [
  {
    flags: '--rate-hz <n>',
    description: 'measure latency at the rate of the application, runs a second; off: hot loop',
  },
  {
    flags: '--soak <duration>',
    description: 'run what wins for so long without a pause, e.g. 60s: does it slow down? or off',
  },
  { flags: '--energy <on|off>', description: 'measure the energy of a run where there is a meter' },
  {
    flags: '--threads <n>',
    description:
      'threads of the runtime; auto: devices try which number and cores are best; or usual',
  },
] as const

const rate = decimal({ least: 0.5, most: 1000 })
export const soakInput = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== undefined && ms >= 1_000 && ms <= 300_000) return Math.round(ms)
  context.addIssue({ code: 'custom', message: 'takes 1s to 5m, e.g. 60s' })
  return z.NEVER
})
const threads = wholeNumber({ least: 1, most: 64 })

export const probeInput = {
  rateHz: z
    .union(
      [z.literal('off').transform(() => null), rate],
      'takes runs a second from 0.5 to 1000, e.g. 30, or off',
    )
    .optional(),
  soak: z
    .union([z.literal('off').transform(() => null), soakInput], 'takes 1s to 5m, e.g. 60s, or off')
    .optional(),
  energy: z
    .enum(['on', 'off'])
    .transform((word) => word === 'on')
    .optional(),
  threads: z
    .union(
      [z.literal('auto'), z.literal('usual').transform(() => null), threads],
      'takes a number from 1 to 64, auto, or usual',
    )
    .optional(),
}

type ProbeInput = z.output<z.ZodObject<typeof probeInput>>

/** What was said of it; undefined where nothing was. */
export function probingIn({
  rateHz,
  soak,
  energy,
  threads,
}: ProbeInput): Partial<ProbePolicy> | undefined {
  const said = {
    ...(rateHz !== undefined && { rateHz }),
    ...(soak !== undefined && { soakMs: soak }),
    ...(energy !== undefined && { energy }),
    ...(threads !== undefined && { threads }),
  }
  return Object.keys(said).length === 0 ? undefined : said
}
