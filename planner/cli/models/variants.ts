import { z } from 'zod'
import { shortDigest } from '../../../shared/digest.ts'
import { formatBytes, formatPercent } from '../../../shared/units.ts'
import { connectPlanner } from '../../api/index.ts'
import { cell, NONE } from '../print/figure.ts'
import { table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'
import { printQuality } from './print-quality.ts'

export const variantsCommand = defineCommand({
  path: 'variants',
  summary: 'Lists the variants planned for every class, with why each was kept or dropped.',
  arguments: [{ name: 'model', description: 'only of this model', optional: true }],
  options: [dataOption],
  example: 'fitment variants motor',
  lists: true,
  watched: true,
  input: z.object({ ...dataInput, model: z.string().optional() }),
  run: async ({ data, model }, io) => {
    const rows = await connectPlanner(data).call(
      'variants.list',
      model === undefined ? {} : { model },
    )
    io.result(rows, () =>
      rows.length === 0
        ? `nothing is planned yet: fitment plan ${model ?? 'MODEL'}`
        : table(
            [
              'MODEL',
              'REV',
              'CLASS',
              'SCHEME',
              'RUNTIME',
              'STATE',
              'SIZE',
              'ACCURACY HERE',
              'AGREEMENT',
              'FILE',
              'WHY',
            ],
            rows.map((row) => [
              row.model,
              String(row.revision),
              row.class,
              row.scheme,
              row.runtime,
              row.verdict === 'dropped' ? 'dropped' : row.state,
              cell(row.bytes, formatBytes),
              printQuality(row.host) ?? NONE,
              cell(row.host?.agreement, formatPercent),
              cell(row.digest, shortDigest),
              row.reason,
            ]),
            { spare: ['FILE', 'AGREEMENT', 'MODEL', 'REV', 'ACCURACY HERE', 'CLASS'] },
          ),
    )
    return 0
  },
})
