import { z } from 'zod'
import { wholeNumber } from '../../../shared/command-line/index.ts'
import { connectPlanner } from '../../api/index.ts'
import { table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'

export const auditCommand = defineCommand({
  path: 'audit',
  summary: 'Lists who changed what and when, newest first.',
  arguments: [{ name: 'subject', description: 'only about this model or device', optional: true }],
  options: [
    dataOption,
    { flags: '--actor <name>', description: 'only by this operator, e.g. ann or cli:root' },
    { flags: '--action <name>', description: 'only of this kind, e.g. rollout.start' },
    { flags: '--limit <n>', description: 'most entries', default: '50' },
  ],
  example: 'fitment audit motor --limit 10',
  lists: true,
  watched: true,
  input: z.object({
    ...dataInput,
    subject: z.string().optional(),
    actor: z.string().max(128).optional(),
    action: z.string().max(64).optional(),
    limit: wholeNumber({ least: 1, most: 10_000 }),
  }),
  run: async ({ data, ...query }, io) => {
    const rows = await connectPlanner(data).call('audit.list', query)
    io.result(rows, () =>
      rows.length === 0
        ? 'nothing like that was changed yet'
        : table(
            ['WHEN', 'WHO', 'WHAT', 'ABOUT', 'DETAIL'],
            rows.map(({ at, actor, action, subject: about, detail }) => [
              at,
              actor,
              action,
              about,
              Object.entries(detail)
                .map(
                  ([name, value]) =>
                    `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
                )
                .join(' '),
            ]),
          ),
    )
    return 0
  },
})
