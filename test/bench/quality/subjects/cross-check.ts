import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import {
  type Dataset,
  readDataset,
  samplesFor,
  takeSamples,
} from '../../../../shared/dataset/index.ts'
import { invariant } from '../../../../shared/errors.ts'
import { loadRuntime } from '../../../../shared/runtime/index.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { ARRAY_OF, type Tensor } from '../../../../shared/tensors.ts'
import { sharedData } from '../../../shared-data.ts'
import {
  type LitertAnswer,
  type LitertJob,
  PYTHON_KERNELS,
  runInPython,
} from '../peers/ai-edge-litert.ts'
import { withoutPeer } from '../peers/python.ts'
import type { QualityRow, QualitySubject } from '../subject.ts'

const SAMPLES = 100

/** Of a float output, in its own unit: here a probability. */
const LARGEST_FLOAT = 1e-2

const SCHEMES = [
  'float16',
  'dynamic-w8',
  'static-w8a8',
  'static-w8a8-io8',
  'static-w8a8-iou8',
  'static-w8a16',
] as const

const NOTE =
  'XNNPACK is what native LiteRT runs by default. Its older kernel sets round products of integers in another way, after ' +
  "every layer, and SOFTMAX enlarges what is left of that: the converter's own file differs as much."

/** Files we write, in Google's native LiteRT: they load there, and answer as in the runtime they were verified in. */
export const crossCheck: QualitySubject = {
  name: 'cross-check',
  run: async () => {
    const title = `files we write, run natively (ai-edge-litert) and in LiteRT.js: ${SAMPLES} unseen samples, largest difference of an output`
    const missing = await withoutPeer('ai-edge-litert')
    if (missing !== undefined) return [{ title, columns: [], rows: [], notes: [missing] }]
    const rows: QualityRow[] = []
    for (const source of sources()) {
      for (const scheme of SCHEMES) rows.push(await ourRow(source, scheme))
      if (source.converted) rows.push(await convertersRow(source, source.converted))
    }
    return [
      {
        title,
        columns: ['MODEL', 'FILE', 'OUTPUT', ...PYTHON_KERNELS.map((name) => name.toUpperCase())],
        rows,
        notes: [NOTE],
      },
    ]
  },
}

interface Source {
  readonly name: string
  readonly float: string
  readonly calibration: string
  readonly test: string
  readonly converted?: string
}

function sources(): Source[] {
  const demo = join('planner', 'demo', 'motor-faults')
  const root = sharedData()
  const tiny = join(root ?? '', 'mlperf-tiny')
  const ic01 = {
    name: 'ic01',
    float: join(tiny, 'ic01_float32.tflite'),
    calibration: join(tiny, 'ic01_calibration.npz'),
    test: join(tiny, 'ic01_test.npz'),
    converted: join(tiny, 'ic01_reference_int8.tflite'),
  }
  const motorFaults = {
    name: 'motor-faults',
    float: join(demo, 'model.tflite'),
    calibration: join(demo, 'calibration.npz'),
    test: join(demo, 'test.npz'),
  }
  return root === undefined ? [motorFaults] : [ic01, motorFaults]
}

async function ourRow(source: Source, scheme: string): Promise<QualityRow> {
  const { bytes } = await quantize({
    model: new Uint8Array(await readFile(source.float)),
    target: 'litert',
    scheme: parseScheme(scheme),
    calibration: await readDataset(source.calibration),
  })
  const { cells, native, codes } = await crossChecked(source, scheme, bytes)
  const limit = codes ? 1 : LARGEST_FLOAT
  const kept = typeof native === 'number' && native <= limit
  return { cells, promise: { text: codes ? '≤ 1 step' : `≤ ${limit}`, kept } }
}

/** The converter's file shows how far apart the kernel sets are, whoever wrote the file. */
async function convertersRow(source: Source, path: string): Promise<QualityRow> {
  const bytes = new Uint8Array(await readFile(path))
  return { cells: (await crossChecked(source, "TFLite's converter", bytes)).cells }
}

async function crossChecked(source: Source, file: string, bytes: Uint8Array) {
  const test = takeSamples(await readDataset(source.test), SAMPLES)
  const ours = await runHere(bytes, test)
  const theirs = await runInPython(
    PYTHON_KERNELS.map((kernels): LitertJob => ({ model: bytes, samples: ours.samples, kernels })),
  )
  const differences = theirs.map((answer) => difference(ours.answers, answer))
  const codes = ours.type !== 'float32'
  const printedAll = differences.map((found) => printed(found, codes))
  return { cells: [source.name, file, ours.type, ...printedAll], native: differences[0], codes }
}

function printed(difference: number | string, codes: boolean): string {
  if (typeof difference === 'string') return difference.slice(0, 60)
  return codes ? `${difference} steps` : difference.toExponential(1)
}

/** The largest, or why there is none. */
function difference(ours: readonly (readonly number[])[], theirs: LitertAnswer): number | string {
  if ('error' in theirs) return theirs.error
  const differences = ours.flatMap((answer, sample) =>
    answer.map((value, i) => Math.abs(value - (theirs.answers[sample]?.[i] ?? Number.NaN))),
  )
  return Math.max(...differences)
}

async function runHere(bytes: Uint8Array, test: Dataset) {
  const session = await (await loadRuntime('litert')).load(bytes)
  try {
    const [input] = session.inputs
    const [output] = session.outputs
    invariant(input && output, 'the model has an input and an output')
    const samples = samplesFor(test, session.inputs)
    const rows: Tensor[] = []
    const answers: number[][] = []
    for (let i = 0; i < samples.count; i += 1) {
      const sample = samples.at(i)
      rows.push(sample[input.name] as Tensor)
      answers.push(Array.from((await session.run(sample))[output.name]?.data ?? [], Number))
    }
    return { type: output.type, samples: stacked(rows), answers }
  } finally {
    await session.close()
  }
}

function stacked(rows: readonly Tensor[]): Tensor {
  const [first] = rows
  invariant(first, 'there is a sample')
  const data = new ARRAY_OF[first.type](rows.length * first.data.length)
  rows.forEach((row, i) => {
    data.set(row.data as never, i * first.data.length)
  })
  return { type: first.type, shape: [rows.length, ...first.shape], data }
}
