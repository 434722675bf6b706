/**
 * What models answer on the processor that runs this process: `node answer.js JOBS.json`. Runs in emulators too, so it
 * imports runtimes and data files, and nothing else.
 */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { readDataset, samplesFor, writeNpz } from '../../shared/dataset/index.ts'
import { loadInProcess, RUNTIME_NAMES } from '../../shared/runtime/index.ts'
import { ARRAY_OF, type Tensor } from '../../shared/tensors.ts'

const jobsSchema = z.array(
  z.object({
    model: z.string(),
    runtime: z.enum(RUNTIME_NAMES),
    /** Files of arrays: samples in, and outputs by name, samples first. */
    samples: z.string(),
    answers: z.string(),
  }),
)
export type Job = z.infer<typeof jobsSchema>[number]

const [, , path = ''] = process.argv
for (const job of jobsSchema.parse(JSON.parse(await readFile(path, 'utf8')))) await answer(job)

async function answer({ model, runtime: name, samples, answers }: Job): Promise<void> {
  const runtime = await loadInProcess(name)
  const session = await runtime.load(new Uint8Array(await readFile(model)), { threads: 1 })
  const given = samplesFor(await readDataset(samples), session.inputs)
  const rows: Readonly<Record<string, Tensor>>[] = []
  for (let i = 0; i < given.count; i += 1) {
    const outputs = Object.entries(await session.run(given.at(i)))
    // Views of the runtime's memory end with the next run.
    rows.push(
      Object.fromEntries(outputs.map(([name, one]) => [name, { ...one, data: one.data.slice() }])),
    )
  }
  await session.close()
  await writeNpz(
    answers,
    session.outputs.map(
      ({ name }) => [name, stacked(rows.flatMap((row) => row[name] ?? []))] as const,
    ),
  )
}

function stacked(rows: readonly Tensor[]): Tensor {
  const [first] = rows
  if (first === undefined) throw new Error('no samples')
  const size = first.data.length
  const data = new ARRAY_OF[first.type](rows.length * size)
  rows.forEach((row, i) => {
    data.set(row.data as never, i * size)
  })
  return { type: first.type, shape: [rows.length, ...first.shape], data }
}
