import { basename } from 'node:path'
import { z } from 'zod'
import { deviceIdSchema } from '../../../shared/ids.ts'
import { formatBytes, formatMs, formatPercent, formatRatio } from '../../../shared/units.ts'
import { connectPlanner, type ProbeView } from '../../api/index.ts'
import { cell } from '../print/figure.ts'
import { table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'

export const probesCommand = defineCommand({
  path: 'probes',
  summary: 'Lists what devices measured, or are asked to measure.',
  arguments: [{ name: 'model', description: 'only of this model', optional: true }],
  options: [dataOption, { flags: '--device <id>', description: 'only of this device' }],
  example: 'fitment probes motor',
  lists: true,
  watched: true,
  input: z.object({
    ...dataInput,
    model: z.string().optional(),
    device: deviceIdSchema.optional(),
  }),
  run: async ({ data, model, device }, io) => {
    const rows = await connectPlanner(data).call('probes.list', { model, device })
    io.result(rows, () =>
      rows.length === 0
        ? `no device was asked to measure yet: fitment plan ${model ?? 'MODEL'}`
        : table(
            [
              'MODEL',
              'REV',
              'CLASS',
              'DEVICE',
              'SCHEME',
              'RUNTIME',
              'STATE',
              'P50',
              'VS FLOAT32',
              'VS RIVAL',
              'MEMORY',
              'ACCURACY',
              'VERDICT',
            ],
            rows.map((row) => [
              row.model,
              String(row.revision),
              row.class,
              row.device,
              row.scheme,
              row.runtime,
              row.state,
              cell(row.p50Ms, formatMs),
              cell(row.ratio, formatRatio),
              cell(
                row.beside,
                (one) => `${formatRatio(one.ratio)} ${one.scheme} on ${one.runtime}`,
              ),
              cell(row.memoryBytes, formatBytes),
              cell(row.accuracy, formatPercent),
              row.error ?? [row.verdict ?? '—', ...row.flags, ...delegated(row)].join(' '),
            ]),
            { spare: ['MEMORY', 'VS RIVAL', 'ACCURACY', 'CLASS', 'MODEL', 'REV', 'VS FLOAT32'] },
          ),
    )
    return 0
  },
})

/** `9 of 16 operators on libvx_delegate.so`, of each delegate that was asked for. */
function delegated({ engine }: ProbeView): string[] {
  const asked = new Set(engine?.delegates?.map(({ path }) => path))
  return (engine?.delegation ?? [])
    .filter(({ path }) => asked.has(path))
    .map(({ path, taken, total }) => `${taken} of ${total} operators on ${basename(path)}`)
}
