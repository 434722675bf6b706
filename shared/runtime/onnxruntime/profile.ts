import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { medianOf, sorted } from '../../statistics/index.ts'
import { sizeOf, type Tensor } from '../../tensors.ts'
import { RuntimeError } from '../errors.ts'
import { partTimesOf } from '../part-times.ts'
import type { PartTime, Runtime, Session } from '../runtime.ts'
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
  args: z
    .object({
      op_name: z.string(),
      provider: z.string(),
      output_type_shape: shapesSchema.default([]),
    })
    .partial(),
})

const KERNEL = '_kernel_time'
const [FEWEST_RUNS, MOST_RUNS] = [12, 100]

/** The runtime's own profile of a model on one thread, over `ms` of runs. @throws RuntimeError */
export async function nodeTimes(
  model: Uint8Array,
  inputs: Readonly<Record<string, Tensor>>,
  ms: number,
): Promise<readonly NodeTime[]> {
  const end = performance.now() + ms
  const events = await profiled(model, { threads: 1 }, async (session) => {
    for (let run = 0; run < MOST_RUNS; run += 1) {
      if (run >= FEWEST_RUNS && performance.now() >= end) break
      await session.run(inputs)
    }
  })
  return summed(events)
}

/** What kinds of operators take in `runs` runs, by execution provider. @throws RuntimeError */
async function partTimes(
  model: Uint8Array,
  options: OnnxruntimeLoadOptions,
  inputs: Readonly<Record<string, Tensor>>,
  runs: number,
): Promise<readonly PartTime[]> {
  const events = await profiled(model, options, async (session) => {
    for (let run = 0; run < runs; run += 1) await session.run(inputs)
  })
  const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith(KERNEL))
  const parts = kernels.map(({ dur, args }) => ({
    by: args.provider ?? 'unknown',
    kind: args.op_name ?? 'unknown',
    us: dur,
  }))
  return partTimesOf(parts, runs)
}

async function profiled(
  model: Uint8Array,
  options: OnnxruntimeLoadOptions,
  work: (session: Session) => Promise<void>,
): Promise<readonly Event[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-profile-'))
  try {
    const profiling: OnnxruntimeLoadOptions = { ...options, profilePrefix: join(folder, 'run') }
    const session = await onnxruntime.load(model, profiling)
    try {
      await work(session)
    } finally {
      await session.close()
    }
    return await eventsIn(folder)
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

/** ONNX Runtime whose sessions tell what their parts take: each profile is a session of its own, as it is written at its end. */
export const profilingOnnxruntime: Runtime = {
  name: onnxruntime.name,
  get version() {
    return onnxruntime.version
  },
  load: async (model, options: OnnxruntimeLoadOptions = {}) => {
    const session = await onnxruntime.load(model, options)
    if (options.profile !== true) return session
    return { ...session, profile: (inputs, runs) => partTimes(model, options, inputs, runs) }
  },
}
