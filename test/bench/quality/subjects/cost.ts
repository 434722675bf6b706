import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Dataset, readDataset, toArrays } from '../../../../shared/dataset/index.ts'
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
        title: `the cost of quantizing ic01 to static-w8a8, ${calibration.samples} samples`,
        columns: ['WHAT', 'AI-EDGE-QUANTIZER', 'FITMENT', 'RATIO'],
        rows,
        notes: [
          `Medians of ${ROUNDS} rounds in turns, each in processes of their own. Without starts and imports: from model bytes ` +
            'and samples in memory to the finished file, which on our side has run. Memory: the peak of a process ' +
            'without the samples that it was given.',
          ...(missing === undefined ? [] : [missing]),
        ],
      },
    ]
  },
}

export interface Spent {
  readonly seconds: number
  readonly processorSeconds: number
}

export interface WorkerReport {
  readonly runs: readonly Spent[]
  readonly peakBytes: number
}

/** What one side spent in one round. */
interface Round {
  /** Seconds of a process that does it once, from its start to its end. */
  readonly whole: number
  readonly first: Spent
  readonly next: Spent
}

interface TimeRow {
  readonly what: string
  readonly seconds: (round: Round) => number
  readonly promised: boolean
}

const TIME_ROWS: readonly TimeRow[] = [
  {
    what: 'time of the whole process, starts and imports included',
    seconds: ({ whole }) => whole,
    promised: true,
  },
  {
    // Their machine code comes with what Python imports; ours is compiled within this.
    what: 'time of the first in a process, without starts and imports',
    seconds: ({ first }) => first.seconds,
    promised: false,
  },
  {
    what: 'processor time of that',
    seconds: ({ first }) => first.processorSeconds,
    promised: false,
  },
  {
    what: 'time of the next one in that process',
    seconds: ({ next }) => next.seconds,
    promised: true,
  },
  {
    what: 'processor time of that',
    seconds: ({ next }) => next.processorSeconds,
    promised: false,
  },
]

async function timeRows(
  model: Uint8Array,
  calibration: Dataset,
  peerAsked: boolean,
): Promise<QualityRow[]> {
  const ours: Round[] = []
  const theirs: Round[] = []
  // By turns, so that a busy neighbour slows both.
  for (let round = 0; round < ROUNDS; round += 1) {
    if (peerAsked) theirs.push(await peerRound(model, calibration))
    ours.push(await ourRound(calibration.samples))
  }
  return TIME_ROWS.map(({ what, seconds, promised }) => {
    const [our, their] = [median(ours.map(seconds)), median(theirs.map(seconds))]
    return {
      cells: [
        what,
        peerAsked ? `${their.toFixed(2)} s` : '—',
        `${our.toFixed(2)} s`,
        peerAsked ? `${(our / their).toFixed(2)}×` : '—',
      ],
      ...(peerAsked && promised && { promise: { text: '≤ 1×', kept: our <= their } }),
    }
  })
}

async function peerRound(model: Uint8Array, calibration: Dataset): Promise<Round> {
  const job = { model, calibration }
  const { wholeSeconds } = await quantizeByAeq([job])
  const { results } = await quantizeByAeq([job, job])
  const [first, next] = results.map((result) => ('seconds' in result ? result : NOTHING))
  return { whole: wholeSeconds, first: first ?? NOTHING, next: next ?? NOTHING }
}

const NOTHING: Spent = { seconds: Number.NaN, processorSeconds: Number.NaN }

async function ourRound(samples: number): Promise<Round> {
  const start = performance.now()
  await quantizeAlone(samples, 1)
  const whole = (performance.now() - start) / 1e3
  const [first, next] = (await quantizeAlone(samples, 2)).runs
  return { whole, first: first ?? NOTHING, next: next ?? NOTHING }
}

async function memoryRow(
  model: Uint8Array,
  calibration: Dataset,
  peerAsked: boolean,
): Promise<QualityRow> {
  const beside = (count: number, peakBytes: number) =>
    peakBytes - (count * bytesOf(calibration)) / calibration.samples
  const peak = async (count: number) => beside(count, (await quantizeAlone(count, 1)).peakBytes)
  const [few, many] = [await peak(FEW), await peak(MANY)]
  const peer = async (count: number) => {
    const job = { model, calibration: repeated(calibration, count) }
    return beside(count, (await quantizeByAeq([job])).peakBytes)
  }
  const theirs = peerAsked ? growth(await peer(FEW), await peer(MANY)) : '—'
  const ratio = many / few
  return {
    cells: [
      `peak memory beside the samples, ${FEW} → ${MANY} of them`,
      theirs,
      growth(few, many),
      `${ratio.toFixed(2)}×`,
    ],
    promise: { text: `grows ≤ ${100 * FLAT} %`, kept: ratio <= 1 + FLAT },
  }
}

function bytesOf(dataset: Dataset): number {
  return [...toArrays(dataset).values()].reduce((sum, { data }) => sum + data.byteLength, 0)
}

function growth(few: number, many: number): string {
  return `${formatBytes(few)} → ${formatBytes(many)}`
}

async function quantizeAlone(samples: number, times: number): Promise<WorkerReport> {
  const worker = join(import.meta.dirname, '..', 'quantize-worker.js')
  const { stdout } = await promisify(execFile)(process.execPath, [worker, `${samples}`, `${times}`])
  return JSON.parse(stdout) as WorkerReport
}
