import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { reasonOf, UsageError } from '../../../shared/errors.ts'
import { requireHttpsBeyondLoopback } from '../../../shared/loopback.ts'
import { formatBytes } from '../../../shared/units.ts'
import { connectPlanner } from '../../api/index.ts'
import {
  ACTION_TYPES,
  ManagementApi,
  type Pushed,
  push,
  usualTargets,
} from '../../hawkbit/index.ts'
import { type Table, table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'

/** `raspberry-pi-4=attribute.board==rpi4` */
const targetsInput = z
  .array(z.string())
  .default([])
  .transform((all, context) => {
    const pairs = all.map((text) => /^([^=]+)=(.+)$/s.exec(text))
    const wrong = all.find((_, index) => pairs[index] === null)
    if (wrong === undefined)
      return new Map(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? ''] as const))
    context.addIssue({ code: 'custom', message: `"${wrong}" is not CLASS=QUERY` })
    return z.NEVER
  })

export const bridgeHawkbitCommand = defineCommand({
  path: 'bridge hawkbit',
  summary:
    'Puts what was rolled out here into a hawkBit server, signed, and assigns it to targets by class.',
  options: [
    dataOption,
    { flags: '--url <url>', description: 'https://… of hawkBit (or FITMENT_HAWKBIT_URL)' },
    {
      flags: '--user <name>',
      description: 'of its Management API, or TENANT\\USER (or FITMENT_HAWKBIT_USER)',
    },
    {
      flags: '--password-file <file>',
      description: 'file with the password (or FITMENT_HAWKBIT_PASSWORD)',
    },
    { flags: '--class <name>', description: 'this class of devices alone' },
    {
      flags: '--targets <class=query...>',
      description:
        'targets of a class in the language of hawkBit (default: those tagged for it, and those that say so)',
    },
    {
      flags: '--action <type>',
      description: `of the assignment: ${ACTION_TYPES.join(', ')}`,
      default: 'forced',
    },
    {
      flags: '--module-type <key>',
      description: 'type of software modules there',
      default: 'application',
    },
    { flags: '--set-type <key>', description: 'type of distribution sets there', default: 'app' },
    { flags: '--dry-run', description: 'say what would go where, and touch nothing there' },
  ],
  example:
    'fitment bridge hawkbit --url https://hawkbit.example --user admin --password-file p.txt',
  input: z.object({
    ...dataInput,
    url: z.string().optional(),
    user: z.string().optional(),
    passwordFile: z.string().optional(),
    class: z.string().optional(),
    targets: targetsInput,
    action: z.enum(ACTION_TYPES),
    moduleType: z.string().min(1),
    setType: z.string().min(1),
    dryRun: z.boolean().default(false),
  }),
  run: async (input, io) => {
    const { data, class: only, dryRun, targets } = input
    const api = dryRun ? undefined : new ManagementApi(accessOf(input))
    const planner = connectPlanner(data)
    const { shipments, left } = await planner.call('shipments.make', {
      ...(only !== undefined && { class: only }),
    })
    const unknown = [...targets.keys()].find((id) => !shipments.some((one) => one.class === id))
    if (unknown !== undefined) {
      const known = shipments.map((one) => one.class).join(', ') || 'none'
      throw new UsageError(`--targets names class ${unknown}, for which nothing goes out: ${known}`)
    }
    const done: Pushed[] = []
    for (const shipment of api === undefined ? [] : shipments) {
      done.push(
        await push(api as ManagementApi, shipment, {
          ...input,
          devicesOf: async (id) =>
            (await planner.call('devices.list', { class: id })).map((device) => device.id),
          open: (digest) => planner.download(digest),
          now: new Date(),
        }),
      )
    }
    const planned = shipments.map(({ shipment: _, ...rest }) => ({
      ...rest,
      targets: targets.get(rest.class) ?? usualTargets(rest.class),
    }))
    io.result({ sets: dryRun ? planned : done, left }, () => [
      dryRun ? plannedTable(planned) : doneTable(done),
      ...left.map((one) => `${one.model} for ${one.class} stays here: ${one.why}`),
      ...(done.length > 0 ? [`again before ${soonest(done)}, e.g. daily by a timer`] : []),
    ])
    return left.length > 0 ? 1 : 0
  },
})

interface Access {
  readonly url?: string | undefined
  readonly user?: string | undefined
  readonly passwordFile?: string | undefined
}

/** @throws UsageError */
function accessOf({ url, user, passwordFile }: Access) {
  const { FITMENT_HAWKBIT_URL, FITMENT_HAWKBIT_USER, FITMENT_HAWKBIT_PASSWORD } = process.env
  const address = url ?? FITMENT_HAWKBIT_URL
  const name = user ?? FITMENT_HAWKBIT_USER
  const password =
    passwordFile === undefined ? FITMENT_HAWKBIT_PASSWORD : readPassword(passwordFile)
  if (address === undefined)
    throw new UsageError('which hawkBit? give --url (or FITMENT_HAWKBIT_URL)')
  if (name === undefined)
    throw new UsageError('who asks there? give --user (or FITMENT_HAWKBIT_USER)')
  if (password === undefined) {
    throw new UsageError(
      `give the password of ${name} in --password-file (or FITMENT_HAWKBIT_PASSWORD)`,
    )
  }
  requireHttpsBeyondLoopback(address, '--url')
  return { url: address, user: name, password }
}

function readPassword(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`)
  }
}

function doneTable(done: readonly Pushed[]): Table {
  return table(
    ['CLASS', 'DISTRIBUTION SET', 'VERSION', '', 'SENT', 'TARGETS'],
    done.map((one) => [
      ...[one.class, one.set, one.version, one.isNew ? 'new' : 'as it was'],
      ...[formatBytes(one.uploadedBytes), one.targets],
    ]),
  )
}

interface Planned {
  readonly class: string
  readonly variants: readonly { model: string; revision: number | null; scheme: string }[]
  readonly targets: string
}

function plannedTable(planned: readonly Planned[]): Table {
  return table(
    ['CLASS', 'MODELS', 'TARGETS'],
    planned.map((one) => [
      one.class,
      one.variants
        .map(({ model, revision, scheme }) => `${model} ${revision ?? ''} ${scheme}`)
        .join(', '),
      one.targets,
    ]),
  )
}

function soonest(done: readonly Pushed[]): string {
  return done.map(({ expires }) => expires).sort()[0] ?? ''
}
