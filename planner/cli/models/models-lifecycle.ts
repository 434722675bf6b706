import { z } from 'zod'
import { decimal, wholeNumber } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { formatBytes } from '../../../shared/units.ts'
import { connectPlanner, type OperationOutput } from '../../api/index.ts'
import { cell } from '../print/figure.ts'
import { type Page, table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'
import { revisionInput, tagsInput } from './revision-options.ts'

const model = { name: 'model', description: 'name of a model' }

export const modelsAnnotateCommand = defineCommand({
  path: 'models annotate',
  summary:
    'Writes a note to a revision, or tags it; a tag says which one in the place of a number.',
  arguments: [model],
  options: [
    dataOption,
    { flags: '--revision <n>', description: 'which one, or its tag; the newest where absent' },
    { flags: '--note <text>', description: 'in place of the one before; empty: none any more' },
    { flags: '--tag <tags>', description: 'e.g. stable; whichever revision had it loses it' },
    { flags: '--untag <tags>', description: 'tags that nothing has any more' },
  ],
  example: 'fitment models annotate motor --revision 3 --tag stable --note "after the recall"',
  input: z.object({
    ...dataInput,
    model: z.string(),
    revision: revisionInput.optional(),
    note: z.string().max(500).optional(),
    tag: tagsInput.default([]),
    untag: tagsInput.default([]),
  }),
  run: async ({ data, model: name, revision, note, tag: tags, untag }, io) => {
    if (note === undefined && tags.length + untag.length === 0) {
      throw new UsageError('say a --note, a --tag or an --untag')
    }
    const asked = {
      ...(revision !== undefined && { revision }),
      ...(note !== undefined && { note }),
    }
    const done = await connectPlanner(data).call('models.annotate', {
      model: name,
      ...asked,
      tags,
      untag,
    })
    io.result(done, () =>
      [
        `${done.model} revision ${done.revision}`,
        done.tags.length > 0 ? `tagged ${done.tags.join(', ')}` : 'no tags',
        done.note ?? 'no note',
      ].join(': '),
    )
    return 0
  },
})

export const modelsPruneCommand = defineCommand({
  path: 'models prune',
  summary:
    'Takes the files of old revisions: never of what runs, is rolled out, tagged, or gone back to.',
  arguments: [model],
  options: [
    dataOption,
    { flags: '--keep <n>', description: 'so many of the newest stay', default: '3' },
    { flags: '--older <days>', description: 'younger ones stay', default: '0' },
    { flags: '--dry-run', description: 'only say what would go, and why the rest stays' },
  ],
  example: 'fitment models prune motor --keep 5 --older 90 --dry-run',
  lists: true,
  input: z.object({
    ...dataInput,
    model: z.string(),
    keep: wholeNumber({ least: 1, most: 1000 }),
    older: decimal({ least: 0, most: 36_600 }),
    dryRun: z.boolean().default(false),
  }),
  run: async ({ data, model: name, keep, older: olderDays, dryRun }, io) => {
    const asked = { model: name, keep, olderDays, dryRun }
    const done = await connectPlanner(data).call('models.prune', asked)
    io.result(done, () => prunedTable(done))
    return 0
  },
})

function prunedTable({ revisions, dryRun }: OperationOutput<'models.prune'>): Page {
  if (revisions.length === 0) return 'every revision is pruned already'
  const gone = dryRun ? 'would be pruned' : 'pruned'
  return table(
    ['REVISION', 'STATE', 'WHY', 'FREED'],
    revisions.map(({ revision, kept, freedBytes }) => [
      String(revision),
      kept === null ? gone : 'kept',
      kept ?? 'nobody needs it',
      cell(kept === null && !dryRun ? freedBytes : null, formatBytes),
    ]),
  )
}

export const modelsRemoveCommand = defineCommand({
  path: 'models remove',
  summary: 'Forgets a model with all its revisions and files; the audit keeps them.',
  arguments: [model],
  options: [dataOption, { flags: '--force', description: 'although devices run it: they keep it' }],
  example: 'fitment models remove motor',
  input: z.object({ ...dataInput, model: z.string(), force: z.boolean().default(false) }),
  run: async ({ data, model: name, force }, io) => {
    const done = await connectPlanner(data).call('models.remove', { model: name, force })
    io.result(done, () => {
      const kept = done.devices > 0 ? `; ${done.devices} devices keep what they run` : ''
      return `${name} is forgotten with ${done.revisions} revisions, ${formatBytes(done.freedBytes)} freed${kept}; fitment audit ${name} still tells of it`
    })
    return 0
  },
})
