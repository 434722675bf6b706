import { z } from 'zod'
import { readDataset, type Samples, samplesFor } from '../../../shared/dataset/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { budgetOf, type LatencyRecord, measureLatency } from '../../../shared/measure/index.ts'
import { loadInProcess, printType, type TensorInfo } from '../../../shared/runtime/index.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../../shared/tensors.ts'
import { formatMs } from '../../../shared/units.ts'
import { referenceTarget } from '../../targets/index.ts'
import { defineCommand } from '../program/command.ts'
import { table } from '../program/io.ts'
import { readModelFile } from './model-file.ts'
import { SHAPE_OPTION, shapeInput } from './model-shapes.ts'

export const benchCommand = defineCommand({
  path: 'bench',
  summary:
    'Measures how fast a model runs on this machine, by the protocol that devices use in a probe.',
  arguments: [{ name: 'model', description: '.tflite or .onnx file' }],
  options: [
    {
      flags: '--data <file.npz>',
      description: 'real inputs to rotate; noise of a fixed seed where absent',
    },
    SHAPE_OPTION,
    { flags: '--threads <n>', description: 'threads of the runtime', default: '1' },
    { flags: '--seconds <n>', description: 'most time to spend measuring', default: '10' },
  ],
  example: 'fitment bench int8.tflite --threads 2',
  input: z.object({
    model: z.string(),
    data: z.string().optional(),
    shape: shapeInput,
    threads: z.coerce.number().int().min(1).max(256),
    seconds: z.coerce.number().min(0.5).max(600),
  }),
  run: async (input, io) => {
    const model = await readModelFile(input.model, input.shape)
    const samples = input.data === undefined ? undefined : await readDataset(input.data)
    const runtime = await loadInProcess(referenceTarget(model.format))
    const loadStart = performance.now()
    const session = await runtime.load(model.bytes, { threads: input.threads })
    const loadMs = performance.now() - loadStart
    const inputs = samples ? samplesFor(samples, session.inputs) : noiseFor(session.inputs)
    const firstStart = performance.now()
    await session.run(inputs.at(0))
    const firstMs = performance.now() - firstStart
    // Converted before the clock starts: only the model is timed.
    const rotated = Array.from({ length: Math.min(8, inputs.count) }, (_, i) => inputs.at(i))
    const progress = io.progress(`measuring ${input.model}`)
    const latency = await measureLatency(
      (turn) => session.run(rotated[turn % rotated.length] as Readonly<Record<string, Tensor>>),
      budgetOf(input.seconds * 1000),
      { afterBlock: (round) => progress.update(round, 0) },
    )
    progress.end()
    await session.close()
    const record = {
      runtime: { name: runtime.name, version: runtime.version },
      threads: input.threads,
      loadMs,
      firstMs,
      inputs: samples ? 'data' : 'noise',
      latency,
    }
    io.result(record, () => forPeople(record))
    return 0
  },
})

const NOISE_SEED = 1

/** Uniform in [0, 1) for floats, over the low byte for integers. */
function noiseFor(inputs: readonly TensorInfo[]): Samples {
  let state = NOISE_SEED
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 24
  }
  const make = ({ name, type, shape }: TensorInfo): Tensor => {
    if (shape.slice(1).some((dim) => dim < 0)) {
      throw new UsageError(
        `input "${name}" takes ${printType({ type, shape })}: say how large with --shape "${name}=…", or give --data`,
      )
    }
    const closed = shape.map((dim) => (dim < 0 ? 1 : dim))
    const data = new ARRAY_OF[type](sizeOf(closed))
    const wide = type === 'int64' || type === 'uint64'
    const real = type === 'float32' || type === 'float64'
    for (let i = 0; i < data.length; i += 1) {
      data[i] = (wide ? 0n : real ? next() : Math.floor(next() * 128)) as never
    }
    return { type, shape: closed, data }
  }
  return { count: 8, at: () => Object.fromEntries(inputs.map((info) => [info.name, make(info)])) }
}

interface BenchRecord {
  readonly runtime: { readonly name: string; readonly version: string }
  readonly threads: number
  readonly loadMs: number
  readonly firstMs: number
  readonly inputs: string
  readonly latency: LatencyRecord
}

function forPeople({ runtime, threads, loadMs, firstMs, inputs, latency }: BenchRecord): string {
  const { p50Ms, p50Ci95, p90Ms, p99Ms, n } = latency
  const orTooFew = (ms: number | null) => (ms === null ? `too few runs (${n})` : formatMs(ms))
  return table(
    ['MEASURE', 'VALUE'],
    [
      [
        'runtime',
        `${runtime.name} ${runtime.version}, ${threads} thread${threads === 1 ? '' : 's'}, ${inputs} as input`,
      ],
      ['load', formatMs(loadMs)],
      ['first inference', formatMs(firstMs)],
      ['p50', `${formatMs(p50Ms)}  (95 %: ${formatMs(p50Ci95[0])} – ${formatMs(p50Ci95[1])})`],
      ['p90', orTooFew(p90Ms)],
      ['p99', orTooFew(p99Ms)],
      ['runs', `${n}, stopped by ${latency.stopped}`],
    ],
  )
}
