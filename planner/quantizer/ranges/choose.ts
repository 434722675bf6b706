import { unreachable } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/findings.ts'
import type { Graph, OperatorId, Range, TensorId } from '../../graph/index.ts'
import { linksOf } from '../../graph/index.ts'
import type { TensorStatistics } from '../observers/statistics.ts'
import { includeZero } from '../parameters/activation.ts'
import { operatorLabel } from '../plan/print.ts'
import type { CalibratedRange } from '../plan/request.ts'
import { ClippingError } from './clipping.ts'
import { RANGE_METHODS, type RangeMethod } from './methods.ts'
import { type Reading, readingOf } from './reading.ts'
import { gridRange } from './value-grid.ts'

export interface ChosenRange extends CalibratedRange {
  readonly method: RangeMethod | 'value-grid'
}

export interface RangeChoice {
  readonly ranges: ReadonlyMap<TensorId, CalibratedRange>
  /** Activations that calibration reached but that have no usable range, and why. */
  readonly unusable: ReadonlyMap<TensorId, string>
  /** Activations that held infinite numbers, which their ranges leave out. */
  readonly unbounded: ReadonlySet<TensorId>
  readonly findings: readonly Finding[]
}

/** A range for every observed activation, by one method or by the one with the least expected error. */
export function chooseRanges(
  statistics: readonly TensorStatistics[],
  method: RangeMethod | 'auto',
  steps: number,
  graph: Graph,
): RangeChoice {
  const links = linksOf(graph)
  const guarded = !reachesOutput(statistics, graph)
  const ranges = new Map<TensorId, ChosenRange>()
  const unusable = new Map<TensorId, string>()
  const unbounded = new Set<TensorId>()
  const findings: Finding[] = []
  for (const one of statistics) {
    const trouble = troubleOf(one)
    if (trouble !== null)
      findings.push(
        troubleFinding(one, trouble, guarded, graph, links.producers[one.tensor] ?? null),
      )
    const name = graph.tensors[one.tensor]?.name
    if (one.ignored > 0) unbounded.add(one.tensor)
    if (one.nan > 0) unusable.set(one.tensor, `calibration met NaN in "${name}"`)
    else if (one.count === 0) unusable.set(one.tensor, `"${name}" held no finite number`)
    else {
      const reading = readingOf(one.tensor, graph, links)
      const chosen = method === 'auto' ? best(one, steps, reading) : by(method, one, steps, reading)
      ranges.set(one.tensor, { ...chosen, seen: { min: one.min, max: one.max } })
    }
  }
  return { ranges, unusable, unbounded, findings }
}

/** What `auto` chooses from; the others are there to be asked for. */
const AUTOMATIC: readonly RangeMethod[] = ['min-max', 'percentile', 'mse']

function by(
  method: RangeMethod,
  statistics: TensorStatistics,
  steps: number,
  reading: Reading | null,
): ChosenRange {
  return { ...RANGE_METHODS[method](statistics, steps, reading), method }
}

function best(statistics: TensorStatistics, steps: number, reading: Reading | null): ChosenRange {
  const grid = gridRange(statistics, steps)
  if (grid !== null) return { ...grid, method: 'value-grid' }
  const error = new ClippingError(statistics.histogram, reading)
  const errorOf = (range: Range) => error.of(includeZero(range), steps)
  return AUTOMATIC.map((method) => by(method, statistics, steps, reading)).reduce((a, b) =>
    errorOf(b) < errorOf(a) ? b : a,
  )
}

/** NaN in the middle may be what the model itself replaces; at an output something is wrong. */
function reachesOutput(statistics: readonly TensorStatistics[], graph: Graph): boolean {
  const outputs = new Set(graph.subgraphs.flatMap((subgraph) => subgraph.outputs))
  const seen = statistics.filter(({ tensor }) => outputs.has(tensor))
  return seen.length === 0 || seen.some(({ nan }) => nan > 0)
}

type Trouble = 'activation-not-a-number' | 'values-ignored' | 'activation-always-zero'

function troubleOf({ nan, ignored, count, min, max }: TensorStatistics): Trouble | null {
  if (nan > 0) return 'activation-not-a-number'
  if (ignored > 0) return 'values-ignored'
  return count > 0 && min === 0 && max === 0 ? 'activation-always-zero' : null
}

function troubleFinding(
  statistics: TensorStatistics,
  code: Trouble,
  guarded: boolean,
  graph: Graph,
  producer: OperatorId | null,
): Finding {
  const name = graph.tensors[statistics.tensor]?.name ?? ''
  const maker = producer === null ? 'the input' : operatorLabel(graph, producer)
  return {
    code,
    severity: code === 'activation-not-a-number' && !guarded ? 'error' : 'warning',
    message: `"${name}" of ${maker} ${words(code, guarded, statistics)}`,
    where: name,
  }
}

function words(code: Trouble, guarded: boolean, { nan, ignored }: TensorStatistics): string {
  switch (code) {
    case 'activation-not-a-number':
      return guarded
        ? `is NaN in ${nan} places on the calibration data, which no output shows: what reads it stays in float`
        : `is NaN in ${nan} places on the calibration data: check the data, or the model`
    case 'values-ignored':
      return `holds ${ignored} infinite or huge values, which its range leaves out`
    case 'activation-always-zero':
      return 'was zero on all calibration data: give data that reaches it'
    default:
      return unreachable(code)
  }
}
