import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { medianOf, sorted } from '../../statistics/index.ts'
import { sizeOf, type Tensor } from '../../tensors.ts'
import { RuntimeError } from '../errors.ts'
import { type OnnxruntimeLoadOptions, onnxruntime } from './onnxruntime.ts'

/** What one node of the graph that ONNX Runtime made of a model takes. */
export interface NodeTime {
  /** As the optimiser names it: suffixes tell what it did to the node. */
  readonly name: string
  readonly type: string
  /** Median over the runs, µs. */
  readonly us: number
  /** Elements of its first output. */
  readonly elements: number
}

const shapesSchema = z.array(z.record(z.string(), z.array(z.number())))
const eventSchema = z.object({
  cat: z.string(),
  name: z.string(),
  dur: z.number(),
  args: z.object({ op_name: z.string(), output_type_shape: shapesSchema.default([]) }).partial(),
})

const KERNEL = '_kernel_time'
const [FEWEST_RUNS, MOST_RUNS] = [12, 100]

/** The runtime's own profile of a model on one thread, over `ms` of runs. @throws RuntimeError */
export async function nodeTimes(
  model: Uint8Array,
  inputs: Readonly<Record<string, Tensor>>,
  ms: number,
): Promise<readonly NodeTime[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-profile-'))
  try {
    const options: OnnxruntimeLoadOptions = { threads: 1, profilePrefix: join(folder, 'run') }
    const session = await onnxruntime.load(model, options)
    try {
      const end = performance.now() + ms
      for (let run = 0; run < MOST_RUNS; run += 1) {
        if (run >= FEWEST_RUNS && performance.now() >= end) break
        await session.run(inputs)
      }
    } finally {
      await session.close()
    }
    return summed(await eventsIn(folder))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Event = z.output<typeof eventSchema>

async function eventsIn(folder: string): Promise<readonly Event[]> {
  const [file] = await readdir(folder)
  const text = file === undefined ? '[]' : await readFile(join(folder, file), 'utf8')
  const parsed = z.array(eventSchema).safeParse(JSON.parse(text))
  if (parsed.success && file !== undefined) return parsed.data
  throw new RuntimeError('run-failed', 'ONNX Runtime wrote a profile that cannot be read')
}

function summed(events: readonly Event[]): readonly NodeTime[] {
  const byName = new Map<string, Event[]>()
  for (const event of events) {
    if (event.cat !== 'Node' || !event.name.endsWith(KERNEL)) continue
    const known = byName.get(event.name)
    if (known) known.push(event)
    else byName.set(event.name, [event])
  }
  return [...byName].map(([name, runs]) => {
    const [shape = []] = Object.values(runs[0]?.args.output_type_shape?.[0] ?? {})
    return {
      name: name.slice(0, -KERNEL.length),
      type: runs[0]?.args.op_name ?? '',
      us: medianOf(sorted(runs.map(({ dur }) => dur))),
      elements: sizeOf(shape),
    }
  })
}
