import { z } from 'zod'
import { decimal, wholeNumber } from '../../../shared/command-line/index.ts'
import { messageOf, UsageError } from '../../../shared/errors.ts'
import { requireHttpsBeyondLoopback } from '../../../shared/loopback.ts'
import { BLOCK_BYTES, LEAST_PIECE_BYTES, MOST_ADDRESS } from '../../../shared/messages/index.ts'
import { parseBytes } from '../../../shared/units.ts'
import { parseSelector } from '../../groups/index.ts'
import { parseBucketLocation, printBucketLocation } from '../../storage/index.ts'
import type { CliOption } from './command.ts'

/** Options that fleet commands share: one row each, so that they read alike everywhere. */

export const dataOption: CliOption = {
  flags: '--data <dir>',
  description: 'data directory of the planner',
  default: process.env.FITMENT_DATA ?? './.fitment',
}

export const dataInput = { data: z.string().min(1) }

export const whereOption: CliOption = {
  flags: '--where <selector>',
  description: "only devices that it matches, e.g. 'site=hall-2,class!=raspberry-pi-4'",
}

/** `site=hall-2` → terms. */
export const whereInput = z
  .string()
  .transform((text, context) => {
    try {
      return [...parseSelector(text)]
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) })
      return z.NEVER
    }
  })
  .optional()

export const waitOption: CliOption = {
  flags: '--wait',
  description: 'return when all is done, stopped, or needs a device that is offline',
}

export const acceptNoiseOption: CliOption = {
  flags: '--accept-noise',
  description: 'choose from measurements of busy or throttled devices too',
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

export const plannerOptions: readonly CliOption[] = [
  dataOption,
  { flags: '--fleet <name>', description: 'name of the fleet', default: 'default' },
  { flags: '--profiles <dir>', description: 'folder with firmware profiles of your own' },
  {
    flags: '--database <url>',
    description: 'postgres://… instead of the embedded database (or FITMENT_DATABASE)',
  },
  {
    flags: '--probe-ms <ms>',
    description: 'time a device spends measuring each variant',
    default: '3000',
  },
  {
    flags: '--probes-at-once <n>',
    description: 'measure on so many devices at a time, where agents share a machine',
  },
  { flags: '--device-rate <size>', description: 'most bytes a second to one device, e.g. 256KiB' },
  { flags: '--fleet-rate <size>', description: 'most bytes a second to all devices, e.g. 4MiB' },
  {
    flags: '--block-bytes <size>',
    description:
      'most bytes of a model in one message, for brokers that take no longer ones, e.g. 16KiB (default: 64KiB)',
  },
  {
    flags: '--artifacts <place>',
    description:
      's3://bucket/prefix: model files and data lie there, by the settings and credentials of AWS (default: in <data>/artifacts)',
  },
  {
    flags: '--artifacts-cache <size>',
    description: 'most that copies here of what lies in S3 may take',
    default: '4GiB',
  },
  {
    flags: '--artifacts-url <url>',
    description:
      'where a copy of the artifacts is served over HTTPS: devices fetch from there, and through the broker where that fails',
  },
  {
    flags: '--samples-quota <size>',
    description: 'most that samples which devices capture may take here; 0: none are collected',
    default: '1GiB',
  },
  { flags: '--samples-days <days>', description: 'how long they are kept', default: '30' },
  {
    flags: '--traces <url>',
    description:
      'OpenTelemetry collector that is told of plans and rollouts, e.g. http://collector:4318 (or FITMENT_TRACES)',
  },
  {
    flags: '--sparkplug <url>',
    description:
      'broker that is told of devices and models in Sparkplug B, mqtts://[user:password@]host (or FITMENT_SPARKPLUG)',
  },
  {
    flags: '--sparkplug-name <group/node>',
    description: 'group, and edge node, that this planner is there (default: the fleet, /fitment)',
  },
  {
    flags: '--log-level <level>',
    description: 'least that is logged',
    choices: LOG_LEVELS,
    default: 'warn',
  },
]

/** Some of the options above, as they are. */
export function pick(...flags: readonly string[]): readonly CliOption[] {
  return plannerOptions.filter((option) => flags.includes(option.flags.split(' ')[0] ?? ''))
}

/** Slower, and a block takes longer than devices wait for it. */
const LEAST_RATE = 8 * 1024

/** `256KiB` → bytes a second. */
const rateInput = z.string().transform((text, context) => {
  const bytes = parseBytes(text)
  if (bytes !== undefined && bytes >= LEAST_RATE) return bytes
  const message =
    bytes === undefined
      ? `"${text}" is no size: write e.g. 256KiB`
      : `${text} a second is too little for blocks of 64 KiB: 8KiB is the least`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

/** `16KiB` → bytes. */
const blockBytesInput = z.string().transform((text, context) => {
  const bytes = parseBytes(text)
  if (bytes !== undefined && bytes >= LEAST_PIECE_BYTES && bytes <= BLOCK_BYTES) return bytes
  context.addIssue({ code: 'custom', message: `"${text}" is no size from 4KiB to 64KiB` })
  return z.NEVER
})

/** `s3://bucket[/prefix]`. */
const artifactsInput = z.string().transform((text, context) => {
  try {
    return printBucketLocation(parseBucketLocation(text))
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) })
    return z.NEVER
  }
})

/** Where a copy of the artifacts lies: `https://host[:port][/path]`. */
const artifactsUrlInput = z.string().transform((text, context) => {
  try {
    requireHttpsBeyondLoopback(text, 'the copy')
    const { username, search, hash, href } = new URL(text)
    if (`${username}${search}${hash}` !== '' || href.length > MOST_ADDRESS) {
      throw new UsageError('no user, no ?query, no #part, and no more than 512 characters')
    }
    return href.replace(/\/+$/, '')
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) })
    return z.NEVER
  }
})

/** `64MiB` → bytes. */
export const bytesInput = z.string().transform((text, context) => {
  const bytes = parseBytes(text)
  if (bytes !== undefined && bytes > 0) return bytes
  context.addIssue({ code: 'custom', message: `"${text}" is no size: write e.g. 200KB or 64MiB` })
  return z.NEVER
})

/** `1GiB`, or 0. */
const quotaInput = z.string().transform((text, context) => {
  const bytes = /^0+$/.test(text.trim()) ? 0 : parseBytes(text)
  if (bytes !== undefined) return bytes
  context.addIssue({ code: 'custom', message: `"${text}" is no size: write e.g. 500MB, or 0` })
  return z.NEVER
})

export const plannerInput = {
  ...dataInput,
  fleet: z.string(),
  profiles: z.string().optional(),
  database: z.string().optional(),
  probeMs: wholeNumber({ least: 100, most: 120_000 }),
  probesAtOnce: wholeNumber({ least: 1 }).optional(),
  deviceRate: rateInput.optional(),
  fleetRate: rateInput.optional(),
  blockBytes: blockBytesInput.optional(),
  artifacts: artifactsInput.optional(),
  artifactsCache: bytesInput,
  artifactsUrl: artifactsUrlInput.optional(),
  traces: z.string().optional(),
  sparkplug: z.string().optional(),
  sparkplugName: z.string().optional(),
  samplesQuota: quotaInput,
  samplesDays: decimal({ least: 1, most: 3660 }),
  logLevel: z.enum(LOG_LEVELS),
}

/** Processes that share a fleet meet in a database. */
export function needsDatabase(what: string): string {
  return `${what} needs a database that several can open: give --database postgres://… (or FITMENT_DATABASE)`
}

/** What the conductor is told of the planner's options. */
export function settingsOf(input: {
  readonly probeMs: number
  readonly probesAtOnce?: number | undefined
  readonly samplesQuota: number
  readonly samplesDays: number
}) {
  const { probeMs, probesAtOnce, samplesQuota, samplesDays } = input
  return {
    measureMs: probeMs,
    samplesQuotaBytes: samplesQuota,
    samplesKeptMs: samplesDays * 86_400_000,
    ...(probesAtOnce === undefined ? {} : { probesAtOnce }),
  }
}

/** What the way to devices is told of the planner's options. */
export function limitsOf(input: {
  readonly deviceRate?: number | undefined
  readonly fleetRate?: number | undefined
  readonly blockBytes?: number | undefined
}) {
  return {
    ...(input.deviceRate !== undefined && { bytesPerSecondPerDevice: input.deviceRate }),
    ...(input.fleetRate !== undefined && { bytesPerSecond: input.fleetRate }),
    ...(input.blockBytes !== undefined && { pieceBytes: input.blockBytes }),
  }
}

/** `planner.plant-7.example,10.0.0.7` → both; none where the option is left out. */
export const listInput = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((word) => word !== ''))

export const portInput = wholeNumber({ least: 0, most: 65_535 })

const HOURS: Readonly<Record<string, number>> = { m: 1 / 60, h: 1, d: 24 }

/** `30m`, `24h`, `7d` → hours. */
export const hoursInput = z.string().transform((text, context) => {
  const [, number, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text.trim()) ?? []
  const hours = Number(number) * (HOURS[unit] ?? Number.NaN)
  if (hours > 0) return hours
  context.addIssue({ code: 'custom', message: `"${text}" is no time: write e.g. 30m, 24h or 7d` })
  return z.NEVER
})

/** `12.5%` or `12.5` → 0.125. */
export const percentInput = z.string().transform((text, context) => {
  const match = /^(\d+(?:\.\d+)?)%?$/.exec(text.trim())
  if (match && Number(match[1]) <= 100) return Number(match[1]) / 100
  context.addIssue({ code: 'custom', message: `"${text}" is no percentage from 0 to 100` })
  return z.NEVER
})
