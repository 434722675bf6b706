import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { quantize } from '../../../../planner/quantizer/index.ts'
import { type Dataset, readDataset } from '../../../../shared/dataset/index.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { formatBytes } from '../../../../shared/units.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { median } from '../../bench.ts'
import { repeated } from '../models/repeated.ts'
import { quantizeByAeq } from '../peers/ai-edge-quantizer.ts'
import { withoutPeer } from '../peers/python.ts'
import type { QualityRow, QualitySubject } from '../subject.ts'

const ROUNDS = 5
const FEW = 100
const MANY = 2000
/** What a peak may grow by, in shares, to be called flat: twenty times the samples are in it. */
const FLAT = 0.1

/** What quantizing costs: time beside ai-edge-quantizer, and memory as samples grow. */
export const cost: QualitySubject = {
  name: 'cost',
  unavailable: () => (sharedData() === undefined ? WITHOUT_SHARED_DATA : undefined),
  run: async () => {
    const at = (name: string) => join(sharedData() ?? '', 'mlperf-tiny', name)
    const model = new Uint8Array(await readFile(at('ic01_float32.tflite')))
    const calibration = await readDataset(at('ic01_calibration.npz'))
    const missing = await withoutPeer('ai-edge-quantizer')
    const asked = missing === undefined
    const rows = [
      ...(await timeRows(model, calibration, asked)),
      await memoryRow(model, calibration, asked),
    ]
    return [
      {
        title: `the cost of quantizing ic01 to static-w8a8`,
        columns: ['WHAT', 'AI-EDGE-QUANTIZER', 'FITMENT', 'RATIO'],
        rows,
        notes: [
          `Time: medians of ${ROUNDS} rounds in turns, from model bytes and samples in memory to the finished file. Starting ` +
            'Python and importing its packages is not counted; starting our runtime and running the result in it is. ' +
            'Memory: the peak of a process that does nothing else, samples included.',
          ...(missing === undefined ? [] : [missing]),
        ],
      },
    ]
  },
}

interface Spent {
  readonly seconds: number
  readonly processorSeconds: number
}

async function timeRows(
  model: Uint8Array,
  calibration: Dataset,
  peerAsked: boolean,
): Promise<QualityRow[]> {
  const ours: Spent[] = []
  const theirs: Spent[] = []
  // In turns, so that a busy neighbour slows both.
  for (let round = 0; round < ROUNDS; round += 1) {
    if (peerAsked) {
      const [result] = (await quantizeByAeq([{ model, calibration }])).results
      if (result !== undefined && 'seconds' in result) theirs.push(result)
    }
    ours.push(
      await spent(() =>
        quantize({ model, format: 'tflite', scheme: parseScheme('static-w8a8'), calibration }),
      ),
    )
  }
  const rowOf = (what: string, pick: (spent: Spent) => number, goal?: string): QualityRow => {
    const [our, their] = [median(ours.map(pick)), median(theirs.map(pick))]
    const compared = theirs.length > 0
    return {
      cells: [
        `${what}, ${calibration.samples} samples`,
        compared ? `${their.toFixed(2)} s` : '—',
        `${our.toFixed(2)} s`,
        compared ? `${(our / their).toFixed(2)}×` : '—',
      ],
      ...(compared && goal && { promise: { text: goal, kept: our <= their } }),
    }
  }
  return [
    rowOf('time', ({ seconds }) => seconds, '≤ 1×'),
    rowOf('processor time', ({ processorSeconds }) => processorSeconds),
  ]
}

async function spent(work: () => Promise<unknown>): Promise<Spent> {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - start) / 1e3, processorSeconds: (user + system) / 1e6 }
}

async function memoryRow(
  model: Uint8Array,
  calibration: Dataset,
  peerAsked: boolean,
): Promise<QualityRow> {
  const [few, many] = [await ourPeak(FEW), await ourPeak(MANY)]
  const peer = async (count: number) =>
    (await quantizeByAeq([{ model, calibration: repeated(calibration, count) }])).peakBytes
  const theirs = peerAsked ? growth(await peer(FEW), await peer(MANY)) : '—'
  const ratio = many / few
  return {
    cells: [
      `peak memory, ${FEW} → ${MANY} samples`,
      theirs,
      growth(few, many),
      `${ratio.toFixed(2)}×`,
    ],
    promise: { text: `grows ≤ ${100 * FLAT} %`, kept: ratio <= 1 + FLAT },
  }
}

function growth(few: number, many: number): string {
  return `${formatBytes(few)} → ${formatBytes(many)}`
}

async function ourPeak(samples: number): Promise<number> {
  const worker = join(import.meta.dirname, '..', 'peak-worker.js')
  const { stdout } = await promisify(execFile)(process.execPath, [worker, String(samples)])
  return Number(stdout)
}
