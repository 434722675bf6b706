import { z } from 'zod'
import { decimal, wholeNumber } from '../../shared/command-line/index.ts'
import { deviceIdSchema, fleetSchema } from '../../shared/ids.ts'
import { labelsSchema, parseLabel } from '../../shared/labels.ts'
import { isOneOf } from '../../shared/open-words.ts'
import { isPackaged, RUNTIME_NAMES } from '../../shared/runtime/index.ts'
import { classNameSchema } from '../../shared/trust/index.ts'
import { parseSize } from './size.ts'

/** One setting: a flag, an environment variable `FITMENT_…` and a key of the configuration file. */
export interface SettingFlag {
  /** Key of the settings, and of the configuration file. */
  readonly key: keyof Settings
  /** In commander's notation. */
  readonly flags: string
  readonly description: string
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

const sizeSchema = z
  .union([z.number().int().positive(), z.string()])
  .transform((value, context) => {
    try {
      return parseSize(String(value))
    } catch (error) {
      context.addIssue({
        code: 'custom',
        message: error instanceof Error ? error.message : 'no size',
      })
      return z.NEVER
    }
  })

/** Longer than a day is a mistake, and longer than timers take. */
const secondsSchema = decimal({ least: 0, most: 86_400 })

/** A flag of the command line, `true` in a file, `1` or `true` in the environment. */
const flagSchema = z.union([z.boolean(), z.stringbool()])

/** A list in a file; words between spaces or semicolons in the environment. */
function listOf<T extends z.ZodType>(one: T) {
  const parts = (value: unknown) =>
    (Array.isArray(value) ? value : [value]).flatMap((part) =>
      typeof part === 'string' ? part.split(/[\s;]+/).filter((word) => word !== '') : [part],
    )
  return z.preprocess((value) => (value === undefined ? undefined : parts(value)), z.array(one))
}

/** `tflite=/usr/lib/libtensorflowlite_c.so` */
const libraryPlace = z.string().transform((text, context) => {
  const [, name, path] = /^([a-z]+)=(.+)$/.exec(text) ?? []
  if (name !== undefined && path !== undefined && isOneOf(RUNTIME_NAMES, name) && !isPackaged(name))
    return { runtime: name, path }
  context.addIssue({
    code: 'custom',
    message: `"${text}" is not RUNTIME=PATH with tflite or openvino as runtime`,
  })
  return z.NEVER
})

/** `vx=/usr/lib/libvx_delegate.so,key=value`; a path has no comma. */
const delegatePlace = z.string().transform((text, context) => {
  const [, name, path, rest = ''] = /^([a-z0-9-]+)=([^,]+)(?:,(.*))?$/.exec(text) ?? []
  const pairs = rest === '' ? [] : rest.split(',').map((pair) => /^([^=]+)=(.*)$/.exec(pair))
  if (name !== undefined && path !== undefined && pairs.every((pair) => pair !== null)) {
    const options = Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']))
    return { name, path, options }
  }
  context.addIssue({ code: 'custom', message: `"${text}" is not NAME=PATH,KEY=VALUE` })
  return z.NEVER
})

/** `22-4` */
const quietHoursSchema = z.string().transform((text, context): [number, number] => {
  const [, from, to] = /^(\d{1,2})-(\d{1,2})$/.exec(text) ?? []
  if (Number(from) < 24 && Number(to) <= 24) return [Number(from), Number(to) % 24]
  context.addIssue({ code: 'custom', message: `"${text}" is no hours of a day: write e.g. 2-5` })
  return z.NEVER
})

/** `64MiB`, or `64MiB,local` */
const captureSchema = z
  .union([z.number().int().positive(), z.string()])
  .transform((value, context) => {
    const [, size = '', local] = /^(.*?)(,\s*local)?$/.exec(String(value)) ?? []
    const bytes = sizeSchema.safeParse(size)
    if (bytes.success) return { bytes: bytes.data, isLocal: local !== undefined }
    const message = `"${value}" is no size: use bytes, or a number with KiB, MiB or GiB; and ,local where samples must stay here`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
/** `site=hall-2`; a file may say them as an object too. */
const labelsSetting = z
  .preprocess(
    (value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).map(([key, said]) => `${key}=${said}`)
        : value,
    listOf(
      z.string().transform((text, context) => {
        try {
          return parseLabel(text)
        } catch (error) {
          context.addIssue({
            code: 'custom',
            message: error instanceof Error ? error.message : 'no label',
          })
          return z.NEVER
        }
      }),
    ),
  )
  .transform((pairs) => Object.fromEntries(pairs))
  .pipe(labelsSchema)

export const settingsSchema = z.object({
  broker: z.string(),
  fleet: fleetSchema.default('default'),
  device: deviceIdSchema,
  stateDir: z.string().min(1),
  trust: z.string().min(1),
  class: classNameSchema.optional(),
  labels: labelsSetting.default({}),
  root: z.string().min(1).default('/'),
  storageLimit: sizeSchema.optional(),
  memoryLimit: sizeSchema.optional(),
  cacheLimit: sizeSchema.default(256 * 2 ** 20),
  runtimes: listOf(z.enum(RUNTIME_NAMES)).optional(),
  library: listOf(libraryPlace).default([]),
  delegate: listOf(delegatePlace).default([]),
  delegatedOnly: flagSchema.default(false),
  openvinoDevices: listOf(
    z.string().regex(/^[A-Z]+(\.\d+)?$/, 'is no device such as GPU or NPU'),
  ).default([]),
  acceptRuntimes: flagSchema.default(false),
  noPull: flagSchema.default(false),
  threads: wholeNumber({ least: 1, most: 64 }).optional(),
  healthCommand: z.string().min(1).optional(),
  healthWord: flagSchema.default(false),
  healthSeconds: secondsSchema.default(30),
  watchSeconds: secondsSchema.default(0),
  capture: captureSchema.optional(),
  checkDays: decimal({ least: 0, most: 365 }).default(7),
  quietHours: quietHoursSchema.default([2, 5]),
  observeSeconds: decimal({ least: 0.1, most: 86_400 }).default(3600),
  hawkbit: z.string().min(1).optional(),
  hawkbitTenant: z.string().min(1).max(64).default('DEFAULT'),
  hawkbitTarget: z.string().min(1).max(256).optional(),
  hawkbitToken: z.string().min(1).max(1024).optional(),
  ca: z.string().optional(),
  cert: z.string().optional(),
  key: z.string().optional(),
  logLevel: z.enum(LOG_LEVELS).default('info'),
})
export type Settings = z.infer<typeof settingsSchema>

export const SETTING_FLAGS: readonly SettingFlag[] = [
  {
    key: 'broker',
    flags: '--broker <url>',
    description: 'mqtt://host[:port] or mqtts://host[:port]',
  },
  {
    key: 'fleet',
    flags: '--fleet <name>',
    description: 'fleet this device belongs to (default: "default")',
  },
  { key: 'device', flags: '--device <id>', description: 'name of this device in the fleet' },
  {
    key: 'stateDir',
    flags: '--state-dir <dir>',
    description: 'where variants and the journal live',
  },
  {
    key: 'trust',
    flags: '--trust <anchor>',
    description: 'trust anchor of the planner: sha256:…, or a file that holds it',
  },
  {
    key: 'class',
    flags: '--class <name>',
    description: 'take only variants for this class of devices, whatever the planner says',
  },
  {
    key: 'labels',
    flags: '--labels <key=value...>',
    description:
      'groups this device is of, e.g. site=hall-2 line=a; the operator may say otherwise',
  },
  {
    key: 'root',
    flags: '--root <dir>',
    description: 'read the hardware under another root, e.g. a captured device tree',
  },
  {
    key: 'storageLimit',
    flags: '--storage-limit <bytes>',
    description: 'most the state directory may hold, e.g. 64MiB',
  },
  {
    key: 'memoryLimit',
    flags: '--memory-limit <bytes>',
    description: 'most memory a model may use, e.g. 256MiB',
  },
  {
    key: 'cacheLimit',
    flags: '--cache-limit <bytes>',
    description: 'downloads kept beyond the installed ones (default: 256MiB)',
  },
  {
    key: 'runtimes',
    flags: '--runtimes <name...>',
    description: `the only runtimes that applications here load: ${RUNTIME_NAMES.join(', ')} (default: all that are found)`,
  },
  {
    key: 'library',
    flags: '--library <runtime=path...>',
    description: 'native library of a runtime, e.g. tflite=/usr/lib/libtensorflowlite_c.so',
  },
  {
    key: 'delegate',
    flags: '--delegate <name=path,key=value...>',
    description: 'external delegate of tflite, e.g. vx=/usr/lib/libvx_delegate.so; asked in order',
  },
  {
    key: 'delegatedOnly',
    flags: '--delegated-only',
    description: 'applications load models with the delegates only, never without them',
  },
  {
    key: 'openvinoDevices',
    flags: '--openvino-devices <name...>',
    description: 'devices of OpenVINO beside the processor, e.g. NPU',
  },
  {
    key: 'acceptRuntimes',
    flags: '--accept-runtimes',
    description: 'take native runtimes from the planner, signed like models, and load them',
  },
  {
    key: 'noPull',
    flags: '--no-pull',
    description:
      'fetch through the broker alone, never by HTTPS from where the planner says that a copy of its artifacts lies',
  },
  { key: 'threads', flags: '--threads <n>', description: 'most threads a measurement may use' },
  {
    key: 'healthCommand',
    flags: '--health-command <file>',
    description: 'program asked after a switch with model, variant and file; exit code 0: healthy',
  },
  {
    key: 'healthWord',
    flags: '--health-word',
    description: 'after a switch an application must say on health.sock that it is healthy',
  },
  {
    key: 'healthSeconds',
    flags: '--health-seconds <s>',
    description: 'time each of them has for its answer (default: 30)',
  },
  {
    key: 'watchSeconds',
    flags: '--watch-seconds <s>',
    description:
      'watch applications for so long after a switch, and go back if they die (default: 0)',
  },
  {
    key: 'observeSeconds',
    flags: '--observe-seconds <s>',
    description: 'how often what applications observe is told to the planner (default: 3600)',
  },
  {
    key: 'capture',
    flags: '--capture <bytes>',
    description:
      'keep so much of unsure or strange inferences with their inputs, e.g. 64MiB, for the planner to collect and people to label; 64MiB,local: for this device alone (default: none)',
  },
  {
    key: 'checkDays',
    flags: '--check-days <n>',
    description:
      'run each model on its golden inputs so often, in a quiet hour (default: 7; 0: never)',
  },
  {
    key: 'quietHours',
    flags: '--quiet-hours <from-to>',
    description: "hours of this device's day for that (default: 2-5)",
  },
  {
    key: 'hawkbit',
    flags: '--hawkbit <url>',
    description:
      'take variants from this hawkBit server as well, by its DDI: https://host[:port]; they are verified as those of the planner',
  },
  {
    key: 'hawkbitTenant',
    flags: '--hawkbit-tenant <name>',
    description: 'tenant there (default: DEFAULT)',
  },
  {
    key: 'hawkbitTarget',
    flags: '--hawkbit-target <id>',
    description: "controller id of this device there (default: the device's name)",
  },
  {
    key: 'hawkbitToken',
    flags: '--hawkbit-token <token>',
    description:
      'security token of the target; gateway:TOKEN for one of a gateway; @FILE reads it from there',
  },
  { key: 'ca', flags: '--ca <file>', description: 'authority of the broker, PEM, for mqtts' },
  {
    key: 'cert',
    flags: '--cert <file>',
    description: 'certificate of this device, PEM, for mqtts',
  },
  { key: 'key', flags: '--key <file>', description: 'private key of this device, PEM, for mqtts' },
  {
    key: 'logLevel',
    flags: '--log-level <level>',
    description: `${LOG_LEVELS.join(', ')} (default: info)`,
  },
]

/** `storageLimit` → `FITMENT_STORAGE_LIMIT`. */
export function environmentName(key: string): string {
  return `FITMENT_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** `storageLimit` → `--storage-limit`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
