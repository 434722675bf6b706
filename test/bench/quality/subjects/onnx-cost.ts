import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { type Dataset, toArrays, toDataset, writeNpz } from '../../../../shared/dataset/index.ts'
import { formatBytes } from '../../../../shared/units.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { median } from '../../bench.ts'
import { quantizeByOrt } from '../peers/onnxruntime.ts'
import { withoutPeer } from '../peers/python.ts'
import type { QualityRow, QualitySubject } from '../subject.ts'

const ROUNDS = 5
const SAMPLES = 100
const MORE = 200
const SHAPE = [3, 224, 224]
const TIME = 0.7
/** What the peak may grow by beyond the samples themselves. */
const FLAT = 0.1

const costSchema = z.object({
  seconds: z.number(),
  processorSeconds: z.number(),
  peakBytes: z.number(),
})
type Cost = z.infer<typeof costSchema>

/** What quantizing a large .onnx model costs, beside onnxruntime.quantization. */
export const onnxCost: QualitySubject = {
  name: 'onnx-cost',
  unavailable: () => (sharedData() === undefined ? WITHOUT_SHARED_DATA : undefined),
  run: async () => {
    const missing = await withoutPeer('onnxruntime')
    const model = await readFile(join(sharedData() ?? '', 'onnx', 'light_resnet50.onnx'))
    const calibration = noise(SAMPLES)
    const job = { kind: 'static', method: 'MinMax', prepare: false, calibration } as const
    const [theirRounds, ourRounds]: [Cost[], Cost[]] = [[], []]
    // By turns, so that a busy neighbour slows both.
    for (let round = 0; round < ROUNDS; round += 1) {
      if (missing === undefined) {
        theirRounds.push(await quantizeByOrt(new Uint8Array(model), job))
      }
      ourRounds.push(await ourCost(calibration))
    }
    const theirs = missing === undefined ? typical(theirRounds) : null
    const ours = typical(ourRounds)
    const more = await ourCost(noise(MORE))
    const added = (MORE - SAMPLES) * 4 * SHAPE.reduce((a, b) => a * b, 1)
    const growth = (more.peakBytes - added) / ours.peakBytes
    return [
      {
        title: `the cost of quantizing light_resnet50.onnx to static-w8a8, ${SAMPLES} samples`,
        columns: ['WHAT', 'QUANTIZE_STATIC MINMAX', 'FITMENT', 'RATIO'],
        rows: [
          row('time', theirs, ours, ({ seconds }) => seconds, inSeconds, TIME),
          row(
            'processor time',
            theirs,
            ours,
            ({ processorSeconds }) => processorSeconds,
            inSeconds,
          ),
          row('peak memory', theirs, ours, ({ peakBytes }) => peakBytes, formatBytes, 1),
          {
            cells: [
              `peak memory, ${MORE} samples`,
              '—',
              formatBytes(more.peakBytes),
              `${growth.toFixed(2)}×`,
            ],
            promise: {
              text: `flat beyond the samples themselves (≤ ${1 + FLAT}×)`,
              kept: growth <= 1 + FLAT,
            },
          },
        ],
        notes: [
          `Medians of ${ROUNDS} rounds in turns, each in processes of their own; starts and imports are not counted in the time.`,
          ...(missing === undefined ? [] : [missing]),
        ],
      },
    ]
  },
}

function typical(rounds: readonly Cost[]): Cost {
  return {
    seconds: median(rounds.map(({ seconds }) => seconds)),
    processorSeconds: median(rounds.map(({ processorSeconds }) => processorSeconds)),
    peakBytes: median(rounds.map(({ peakBytes }) => peakBytes)),
  }
}

function row(
  what: string,
  theirs: Cost | null,
  ours: Cost,
  pick: (cost: Cost) => number,
  print: (value: number) => string,
  most?: number,
): QualityRow {
  const ratio = theirs === null ? null : pick(ours) / pick(theirs)
  return {
    cells: [
      what,
      theirs === null ? '—' : print(pick(theirs)),
      print(pick(ours)),
      ratio === null ? '—' : `${ratio.toFixed(2)}×`,
    ],
    ...(ratio !== null &&
      most !== undefined && { promise: { text: `≤ ${most}×`, kept: ratio <= most } }),
  }
}

function inSeconds(seconds: number): string {
  return `${seconds.toFixed(1)} s`
}

function noise(samples: number): Dataset {
  const size = SHAPE.reduce((a, b) => a * b, samples)
  let state = 1
  const data = Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 30 - 2
  })
  return toDataset(new Map([['x', { type: 'float32', shape: [samples, ...SHAPE], data }]]), 'noise')
}

async function ourCost(calibration: Dataset): Promise<Cost> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-cost-'))
  try {
    const samples = join(folder, 'samples.npz')
    await writeNpz(samples, toArrays(calibration))
    const worker = join(import.meta.dirname, '..', 'onnx-worker.js')
    const { stdout } = await promisify(execFile)(process.execPath, [worker, samples])
    return costSchema.parse(JSON.parse(stdout))
  } finally {
    await rm(folder, { recursive: true })
  }
}
