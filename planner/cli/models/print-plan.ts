import { formatBytes, formatMs, formatRatio } from '../../../shared/units.ts'
import type { CandidateRow, ClassPlan } from '../../api/index.ts'
import { points } from '../../selection/index.ts'
import { type Cell, cell, NONE } from '../print/figure.ts'
import { apart, type Page, type Table, table } from '../print/page.ts'
import { printQuality } from './print-quality.ts'

/** One block per class: what was chosen and why, then every candidate with its reason. */
export function printPlans(plans: readonly ClassPlan[]): Page {
  return apart(...plans.map(printPlan))
}

/** The same as one list. */
export function listPlans(plans: readonly ClassPlan[]): Table {
  const rows = plans.flatMap((plan) =>
    ordered(plan).map((row) => [plan.class, String(plan.revision), ...candidateCells(row)]),
  )
  return table(['CLASS', 'REV', ...HEAD], rows, SPARE)
}

const HEAD = [
  ...['VERDICT', 'SCHEME', 'RUNTIME', 'SIZE', 'P50'],
  ...['VS FLOAT32', 'MEMORY', 'ACCURACY', 'LOST', 'WHY'],
]
const SPARE = { spare: ['MEMORY', 'SIZE', 'ACCURACY', 'VS FLOAT32'] }

const ORDER: Readonly<Record<CandidateRow['verdict'], number>> = {
  chosen: 0,
  kept: 1,
  pending: 2,
  dropped: 3,
}

function printPlan(plan: ClassPlan): Page {
  return [headline(plan), table(HEAD, merged(ordered(plan)).map(candidateCells), SPARE)]
}

function ordered({ candidates }: ClassPlan): readonly CandidateRow[] {
  return [...candidates].sort((a, b) => ORDER[a.verdict] - ORDER[b.verdict])
}

/** Candidates that never became a file, for one and the same reason, share a row. */
function merged(rows: readonly CandidateRow[]): readonly CandidateRow[] {
  const groups = new Map<string, CandidateRow>()
  for (const row of rows) {
    const key =
      row.state === 'none'
        ? `${row.verdict} ${row.runtime} ${row.reason}`
        : row.scheme + row.runtime
    const held = groups.get(key)
    groups.set(key, held ? { ...held, scheme: `${held.scheme}, ${row.scheme}` } : row)
  }
  return [...groups.values()]
}

function headline(plan: ClassPlan): string {
  const of = `${plan.class}, revision ${plan.revision}`
  if (plan.winner) return `${of}: ${plan.why}`
  const waiting = plan.stage === 'no-fit' ? plan.why : plan.waiting || plan.why
  return `${of} [${plan.stage}]: ${waiting}`
}

/** Of files that a vendor's compiler made. */
function compilerSays({ findings }: CandidateRow): readonly string[] {
  return findings.filter(({ code }) => code === 'compiled').map(({ message }) => message)
}

function candidateCells(row: CandidateRow): Cell[] {
  const { measured, host } = row
  return [
    row.verdict,
    row.scheme,
    row.runtime,
    cell(row.bytes, formatBytes),
    cell(measured?.p50Ms, formatMs),
    cell(measured?.ratio, formatRatio),
    cell(measured?.memoryBytes, formatBytes),
    printQuality(measured) ?? printQuality(host) ?? NONE,
    cell(measured?.drop, points),
    [row.reason, ...(measured?.notes ?? []), ...compilerSays(row)].join('; '),
  ]
}
