import { z } from 'zod'
import { nameSchema } from '../../../shared/ids.ts'
import { connectPlanner, ROLES } from '../../api/index.ts'
import { table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, hoursInput } from '../program/fleet-options.ts'

const nameArgument = { name: 'name', description: 'name of the operator' }

export const operatorsAddCommand = defineCommand({
  path: 'operators add',
  summary:
    'Prints a token with which a person or program on another machine operates this planner.',
  arguments: [nameArgument],
  options: [
    dataOption,
    { flags: '--role <role>', description: 'what they may do', choices: ROLES, default: 'viewer' },
    { flags: '--expires <time>', description: 'e.g. 90d; absent: until it is revoked' },
  ],
  example: 'fitment operators add ann --role operator --expires 90d',
  input: z.object({
    ...dataInput,
    name: nameSchema,
    role: z.enum(ROLES),
    expires: hoursInput.optional(),
  }),
  run: async ({ data, name, role, expires }, io) => {
    const days = expires === undefined ? null : expires / 24
    const made = await connectPlanner(data).call('operators.add', { name, role, days })
    io.result(made, () =>
      [
        made.token,
        '',
        `${name} is now ${role} here; from their own machine:`,
        '  FITMENT_TOKEN=TOKEN fitment devices',
      ].join('\n'),
    )
    return 0
  },
})

export const operatorsListCommand = defineCommand({
  path: 'operators list',
  summary: 'Lists who may operate this planner from elsewhere.',
  options: [dataOption],
  example: 'fitment operators list',
  lists: true,
  watched: true,
  input: z.object(dataInput),
  run: async ({ data }, io) => {
    const all = await connectPlanner(data).call('operators.list', {})
    io.result(all, () =>
      all.length === 0
        ? 'nobody but the owner of the data directory'
        : table(
            ['NAME', 'ROLE', 'STATE', 'SINCE', 'UNTIL', 'ADDED BY'],
            all.map((row) => [
              row.name,
              row.role,
              row.state,
              row.createdAt,
              row.expiresAt ?? '—',
              row.createdBy,
            ]),
          ),
    )
    return 0
  },
})

export const operatorsRevokeCommand = defineCommand({
  path: 'operators revoke',
  summary: 'Takes every token from an operator.',
  arguments: [nameArgument],
  options: [dataOption],
  example: 'fitment operators revoke ann',
  input: z.object({ ...dataInput, name: nameSchema }),
  run: async ({ data, name }, io) => {
    const done = await connectPlanner(data).call('operators.revoke', { name })
    io.result(done, () =>
      done.tokens === 0 ? `${name} has no token that is good` : `${done.tokens} token(s) revoked`,
    )
    return done.tokens === 0 ? 1 : 0
  },
})
