import { referenceTarget } from '../../../planner/targets/index.ts'
import type { Dataset } from '../../../shared/dataset/index.ts'
import { evaluate, type QualityRecord } from '../../../shared/measure/index.ts'
import { loadRuntime, type ModelFormat } from '../../../shared/runtime/index.ts'
import { formatPercent } from '../../../shared/units.ts'
import type { QualityRow } from './subject.ts'

/** A quantized file of somebody, held against the float model on data that nobody calibrated with. */
export interface Candidate {
  readonly who: string
  readonly bytes: Uint8Array
  readonly goals?: Goals
}

export interface Goals {
  readonly agreement?: number
  readonly sqnrDb?: number
  /** Points of a hundred that accuracy may lie below the float model's. */
  readonly accuracyDrop?: number
}

export interface Comparison {
  readonly model: string
  readonly format: ModelFormat
  readonly float: Uint8Array
  readonly test: Dataset
  readonly candidates: readonly Candidate[]
  /** False where the largest output means nothing: agreement is left out. */
  readonly classifies?: boolean
}

export const FIGURE_COLUMNS = ['MODEL', 'QUANTIZED BY', 'AGREEMENT', 'SQNR', 'ACCURACY', 'BYTES']

/** A row for each file under `FIGURE_COLUMNS`, after one for the float model itself. */
export async function compareFiles(comparison: Comparison): Promise<QualityRow[]> {
  const { model, float, candidates, classifies = true } = comparison
  const rows: QualityRow[] = []
  for (const { who, bytes, goals } of candidates) {
    const record = await recordOf(comparison, bytes)
    if (rows.length === 0) {
      const accuracy = percent(record.referenceAccuracy)
      rows.push({ cells: [model, 'nobody (float)', '', '', accuracy, String(float.length)] })
    }
    rows.push({
      cells: [
        model,
        who,
        classifies && record.agreement !== null ? record.agreement.toFixed(4) : '—',
        decibels(record.sqnrDb),
        percent(record.accuracy),
        String(bytes.length),
      ],
      ...(goals && { promise: promiseOf(goals, record) }),
    })
  }
  return rows
}

/** Both models answer the data in the real runtime. */
export async function recordOf(
  { format, float, test }: Pick<Comparison, 'format' | 'float' | 'test'>,
  bytes: Uint8Array,
): Promise<QualityRecord> {
  const runtime = await loadRuntime(referenceTarget(format))
  const reference = await runtime.load(float)
  try {
    const session = await runtime.load(bytes)
    try {
      return await evaluate(session, test, { reference })
    } finally {
      await session.close()
    }
  } finally {
    await reference.close()
  }
}

export function decibels(db: number | null): string {
  return db === null ? '—' : `${db.toFixed(1)} dB`
}

function percent(share: number | null): string {
  return share === null ? '—' : formatPercent(share, 2)
}

function promiseOf(
  { agreement, sqnrDb, accuracyDrop }: Goals,
  record: QualityRecord,
): { text: string; kept: boolean } {
  const parts: [string, boolean][] = []
  if (agreement !== undefined) {
    parts.push([`agreement ≥ ${agreement}`, (record.agreement ?? 0) >= agreement])
  }
  if (sqnrDb !== undefined) parts.push([`≥ ${decibels(sqnrDb)}`, (record.sqnrDb ?? 0) >= sqnrDb])
  if (accuracyDrop !== undefined) {
    const drop = 100 * ((record.referenceAccuracy ?? 1) - (record.accuracy ?? 0))
    // A thousandth of a point for the rounding of the subtraction.
    parts.push([`accuracy ≥ float − ${accuracyDrop} pt`, drop <= accuracyDrop + 1e-3])
  }
  return { text: parts.map(([text]) => text).join(', '), kept: parts.every(([, kept]) => kept) }
}
