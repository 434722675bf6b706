import { join } from 'node:path'
import type { CandidateRow, ClassPlan } from '../../../../planner/api/index.ts'
import { formatMs, formatPercent, formatRatio } from '../../../../shared/units.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { planOnThisMachine } from '../fleet.ts'
import type { QualityRow, QualitySubject } from '../subject.ts'

/** ic01 through the whole loop on this machine: which runtime is chosen, beside a fleet that has LiteRT only. */
export const fleet: QualitySubject = {
  name: 'fleet',
  unavailable: () => (sharedData() === undefined ? WITHOUT_SHARED_DATA : undefined),
  run: async () => {
    const at = (name: string) => join(sharedData() ?? '', 'mlperf-tiny', name)
    const task = {
      model: at('ic01_float32.tflite'),
      calibration: at('ic01_calibration.npz'),
      test: at('ic01_test.npz'),
      maxAccuracyDrop: 1,
    }
    const both = await planOnThisMachine(task)
    const litert = await planOnThisMachine({ ...task, litertOnlyFor: both.class })
    const theirs = winnerOf(litert)
    const ours = winnerOf(both)
    const ratio = msOf(ours) / msOf(theirs)
    const fastest = Math.min(...both.candidates.filter(isAdmissible).map(msOf))
    const kept =
      ratio <= 1 && msOf(ours) <= 1.05 * fastest && both.why.includes('the latency of the fastest')
    const promise = { text: 'the faster runtime is chosen, and the ratio is told', kept }
    return [
      {
        title: `ic01 through broker, planner and an agent on this machine (class ${both.class})`,
        columns: ['FLEET HAS', 'CHOSEN', 'P50', 'OF LITERT ONLY', 'ACCURACY'],
        rows: [
          { cells: cellsOf('LiteRT', theirs, 1) },
          { cells: cellsOf('LiteRT and ONNX Runtime', ours, ratio), promise },
        ],
        notes: [`why: ${both.why}`],
      },
    ]
  },
}

function winnerOf({ winner, candidates, why }: ClassPlan): CandidateRow {
  const row = candidates.find(
    ({ scheme, runtime }) => scheme === winner?.scheme && runtime === winner.runtime,
  )
  if (row === undefined) throw new Error(`nothing was chosen: ${why}`)
  return row
}

function isAdmissible({ verdict }: CandidateRow): boolean {
  return verdict === 'chosen' || verdict === 'kept'
}

function msOf({ measured }: CandidateRow): number {
  return measured?.p50Ms ?? Number.POSITIVE_INFINITY
}

function cellsOf(has: string, row: CandidateRow, ratio: number): QualityRow['cells'] {
  const { scheme, runtime, measured } = row
  const accuracy = measured?.accuracy ?? null
  return [
    has,
    `${scheme} on ${runtime}`,
    formatMs(msOf(row)),
    formatRatio(ratio),
    accuracy === null ? '—' : formatPercent(accuracy, 2),
  ]
}
