import { z } from 'zod'
import { wholeNumber } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { deviceIdSchema } from '../../../shared/ids.ts'
import { type Labels, parseLabel } from '../../../shared/labels.ts'
import { connectPlanner, type PlannerClient } from '../../api/index.ts'
import type { Selector } from '../../groups/index.ts'
import { readUserFile } from '../file/model-file.ts'
import { defineCommand, type ExitCode } from '../program/command.ts'
import {
  dataInput,
  dataOption,
  hoursInput,
  whereInput,
  whereOption,
} from '../program/fleet-options.ts'
import type { CliIo } from '../program/io.ts'
import { type Invited, readInvitationList } from './invitation-list.ts'

export const devicesInviteCommand = defineCommand({
  path: 'devices invite',
  summary: 'Prints a one-time token with which a device joins the fleet.',
  options: [
    dataOption,
    {
      flags: '--csv <file>',
      description: 'a token for each line: a head "device,site,…", then names and their labels',
    },
    {
      ...whereOption,
      description: 'a new token for each device that it matches: they keep their names',
    },
    {
      flags: '--uses <n>',
      description: 'one token that so many devices may join by',
      default: '1',
    },
    {
      flags: '--authority <ca.pem>',
      description:
        'of your own: one token for devices that have a certificate of it (common name: the device)',
    },
    {
      flags: '--names <patterns>',
      description:
        'devices that the authority may speak for, e.g. press-*,crane-7, or @FILE with a line each',
    },
    {
      flags: '--label <labels...>',
      description: 'labels of whoever joins by it, e.g. site=hall-2',
    },
    {
      flags: '--device <id>',
      description: 'only this device may use it, and it takes the place of one of that name',
    },
    {
      flags: '--expires <time>',
      description: 'how long it is good, e.g. 30m, 24h, 7d',
      default: '24h',
    },
  ],
  example: 'fitment devices invite --device press-12 --expires 2h',
  input: z.object({
    ...dataInput,
    csv: z.string().optional(),
    where: whereInput,
    uses: wholeNumber({ least: 1, most: 100_000 }),
    label: z.array(z.string()).default([]),
    authority: z.string().optional(),
    names: z.string().optional(),
    device: deviceIdSchema.optional(),
    expires: hoursInput,
  }),
  run: async (
    { data, csv, where, device = null, uses, label, authority, names, expires: hours },
    io,
  ) => {
    const whom = [csv !== undefined, where !== undefined, device !== null, uses > 1]
    if (whom.filter((one) => one).length > 1) {
      throw new UsageError(
        '--csv, --where, --device and --uses each say for whom: give one of them',
      )
    }
    const planner = connectPlanner(data)
    const labels = Object.fromEntries(label.map(parseLabel))
    if (csv !== undefined || where !== undefined) {
      const invited = csv === undefined ? await matched(planner, where) : await listed(csv)
      return await inviteEach(planner, invited, { labels, hours }, io)
    }
    const own = await authorityOf(authority, names)
    if (own && whom.slice(0, 3).includes(true)) {
      throw new UsageError('--authority says for whom: leave out --csv, --where and --device')
    }
    const most = own && uses === 1 ? own.most : uses
    const made = await planner.call('devices.invite', {
      ...{ device, hours, uses: most, labels },
      ...(own && { authority: own.authority }),
    })
    const good = most === 1 ? 'good once' : `good for ${most} devices`
    const shown = own ? ' --certificate CERT.pem --key KEY.pem' : ''
    const name = own ? shown : device === null ? ' --device NAME' : ''
    const state = '--state-dir /var/lib/fitment-agent'
    io.result(made, () =>
      [
        made.token,
        '',
        `${good}, until ${made.expiresAt} (take it back: fitment invites revoke ${made.id.slice(0, 12)}); on the device:`,
        `  fitment-agent join TOKEN${name} ${state}`,
        `  fitment-agent run ${state}`,
      ].join('\n'),
    )
    return 0
  },
})

/** Devices that one token of an authority lets in where nothing else is said. */
const MOST_OF_AUTHORITY = 100_000

/** @throws UsageError where only one of both is said: an authority without names speaks for everybody it ever signed */
async function authorityOf(file: string | undefined, names: string | undefined) {
  if (file === undefined && names === undefined) return undefined
  if (file === undefined || names === undefined) {
    throw new UsageError(
      '--authority and --names go together: press-*, or * for all that it signed',
    )
  }
  const read = async (path: string) => new TextDecoder().decode(await readUserFile(path))
  const text = names.startsWith('@') ? await read(names.slice(1)) : names
  const patterns = text.split(/[\s,]+/).filter((word) => word !== '')
  const authority = { certificate: await read(file), names: patterns }
  return { authority, most: MOST_OF_AUTHORITY }
}

async function inviteEach(
  planner: PlannerClient,
  invited: readonly Invited[],
  { labels, hours }: { readonly labels: Labels; readonly hours: number },
  io: CliIo,
): Promise<ExitCode> {
  const wanted = invited.map((one) => ({ ...one, labels: { ...one.labels, ...labels } }))
  const made = await inviteAll(planner, wanted, hours)
  const known = made.filter(({ isKnown }) => isKnown).length
  if (known > 0) {
    io.note(
      `note: ${known} of them are known already: whoever joins as one takes its place, its labels and its history`,
    )
  }
  io.result(made, () =>
    ['device,token', ...made.map((one) => `${one.device},${one.token}`)].join('\n'),
  )
  return 0
}

/** Invitations of one question to the planner. */
const AT_ONCE = 500

async function inviteAll(planner: PlannerClient, invited: readonly Invited[], hours: number) {
  const made = []
  for (let from = 0; from < invited.length; from += AT_ONCE) {
    const devices = invited
      .slice(from, from + AT_ONCE)
      .map((one) => ({ device: one.device, labels: { ...one.labels } }))
    made.push(...(await planner.call('devices.inviteMany', { devices, hours })))
  }
  return made
}

async function matched(
  planner: PlannerClient,
  where: Selector | undefined,
): Promise<readonly Invited[]> {
  const devices = await planner.call('devices.list', { where: [...(where ?? [])] })
  return devices.map(({ id }) => ({ device: id, labels: {} }))
}

async function listed(file: string): Promise<readonly Invited[]> {
  return readInvitationList(new TextDecoder().decode(await readUserFile(file)), file)
}

export const devicesRevokeCommand = defineCommand({
  path: 'devices revoke',
  summary: 'Takes its certificates from a device: it is disconnected at once and not let in again.',
  arguments: [{ name: 'device', description: 'name of the device' }],
  options: [
    dataOption,
    { flags: '--reason <text>', description: 'for the audit log', default: 'not said' },
  ],
  example: 'fitment devices revoke press-12 --reason "stolen"',
  input: z.object({ ...dataInput, device: deviceIdSchema, reason: z.string().max(200) }),
  run: async ({ data, device, reason }, io) => {
    const done = await connectPlanner(data).call('devices.revoke', { device, reason })
    const taken = done.certificates + done.tokens
    io.result(done, () =>
      taken === 0
        ? `${device} has no valid certificate and no unused token: nothing to revoke`
        : `${device} is out: ${done.certificates} certificate(s) and ${done.tokens} unused token(s) revoked; it joins again with a new token only`,
    )
    return taken === 0 ? 1 : 0
  },
})
