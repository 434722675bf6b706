import { z } from 'zod'
import { joinKeyOf, parseJoinToken } from '../../../shared/identity/index.ts'
import { printLabels } from '../../../shared/labels.ts'
import { connectPlanner, type OperationOutput } from '../../api/index.ts'
import { table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'

/** Enough to tell one from another, and what `revoke` takes. */
const SHOWN = 12

export const invitesListCommand = defineCommand({
  path: 'invites list',
  summary: 'Lists tokens by which devices may still join: for whom, how often used, until when.',
  options: [
    dataOption,
    { flags: '--all', description: 'those that are used up, expired or revoked, too' },
  ],
  example: 'fitment invites list --all',
  lists: true,
  watched: true,
  input: z.object({ ...dataInput, all: z.boolean().default(false) }),
  run: async ({ data, all }, io) => {
    const rows = await connectPlanner(data).call('invites.list', { all })
    io.result(rows, () =>
      rows.length === 0
        ? `no token ${all ? 'was ever made' : 'is good'}: fitment devices invite`
        : table(
            ['INVITE', 'STATE', 'FOR', 'USED', 'LABELS', 'UNTIL', 'MADE', 'BY'],
            rows.map((row) => [
              ...[row.id.slice(0, SHOWN), stateOf(row), forWhom(row), `${row.used} of ${row.uses}`],
              printLabels(row.labels),
              ...[row.expiresAt, row.createdAt, row.createdBy],
            ]),
            { spare: ['MADE', 'BY', 'LABELS'] },
          ),
    )
    return 0
  },
})

type Row = OperationOutput<'invites.list'>[number]

function stateOf({ state, revoked }: Row): string {
  return revoked ? `${state} by ${revoked.by}: ${revoked.reason}` : state
}

/** Names of a long allow list that are shown. */
const MOST_NAMES = 3

function forWhom({ device, names }: Row): string {
  if (device !== null) return device
  if (names === null) return 'any name'
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ''
  return `certified ${names.slice(0, MOST_NAMES).join(', ')}${more}`
}

/** As `invites list` shows it, or the token itself, wherever it was found. */
const inviteInput = z.string().transform((text, context) => {
  if (/^[0-9a-f]{4,64}$/.test(text)) return text
  try {
    return joinKeyOf(parseJoinToken(text).secret).trusted.keyId
  } catch {
    const message = 'is neither the beginning of an id of fitment invites list nor a whole token'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
})

export const invitesRevokeCommand = defineCommand({
  path: 'invites revoke',
  summary: 'Takes a token back before its time: nobody joins by it any more, who has joined stays.',
  arguments: [{ name: 'invite', description: 'how its id begins, or the token itself' }],
  options: [
    dataOption,
    { flags: '--reason <text>', description: 'for the audit log', default: 'not said' },
  ],
  example: 'fitment invites revoke 3f9a01c2 --reason "was in a mail"',
  input: z.object({ ...dataInput, invite: inviteInput, reason: z.string().max(200) }),
  run: async ({ data, invite, reason }, io) => {
    const done = await connectPlanner(data).call('invites.revoke', { invite, reason })
    io.result(
      done,
      () =>
        `${done.id.slice(0, SHOWN)} is revoked: ${done.used} of ${done.uses} devices have joined by it, and stay`,
    )
    return 0
  },
})
