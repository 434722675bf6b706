import type { QuantizeOptions } from '../../../planner/quantizer/index.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import type { Dataset } from '../../../shared/dataset/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { type Candidate, compareFiles, FIGURE_COLUMNS, type Goals } from './figures.ts'
import { quantizeByAeq } from './peers/ai-edge-quantizer.ts'
import { withoutPeer } from './peers/python.ts'
import type { QualityTable } from './subject.ts'

/** A float .tflite that everybody quantizes with the same samples. */
export interface Contest {
  readonly title: string
  readonly model: string
  readonly float: Uint8Array
  readonly calibration: Dataset
  /** Data that nobody calibrated with. */
  readonly test: Dataset
  readonly scheme: string
  readonly options?: QuantizeOptions
  readonly goals: Goals
  readonly classifies?: boolean
  /** Files that came from elsewhere. */
  readonly others?: readonly Candidate[]
}

/** The others' files, ai-edge-quantizer's where it can be asked, and ours with what it must reach. */
export async function contestOf(contest: Contest): Promise<QualityTable> {
  const { model, float, calibration, test, scheme, options, goals, others = [] } = contest
  const peers = await aeqCandidate(contest)
  const ours = await quantize({
    model: float,
    target: 'litert',
    scheme: parseScheme(scheme),
    calibration,
    ...(options && { options }),
  })
  const candidates = [
    ...others,
    ...peers.candidates,
    { who: `Fitment ${scheme}`, bytes: ours.bytes, goals },
  ]
  const { classifies = true } = contest
  const format = 'tflite'
  const rows = await compareFiles({ model, format, float, test, candidates, classifies })
  return { title: contest.title, columns: FIGURE_COLUMNS, rows, notes: peers.notes }
}

async function aeqCandidate({
  float,
  calibration,
}: Contest): Promise<{ readonly candidates: readonly Candidate[]; readonly notes: string[] }> {
  const missing = await withoutPeer('ai-edge-quantizer')
  if (missing !== undefined) return { candidates: [], notes: [missing] }
  const { results } = await quantizeByAeq([{ model: float, calibration }])
  const [result] = results
  if (result === undefined || 'error' in result) {
    return { candidates: [], notes: [`ai-edge-quantizer failed: ${result?.error}`] }
  }
  return { candidates: [{ who: 'ai-edge-quantizer', bytes: result.bytes }], notes: [] }
}
