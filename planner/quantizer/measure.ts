import { BASE_SCHEMES } from '../../shared/schemes.ts'
import type { Graph, QuantizableModel, Range, TensorId } from '../graph/index.ts'
import { calibrate } from './calibrate/calibrate.ts'
import type { InferencePool } from './inference-pool/inference-pool.ts'
import type { TensorStatistics } from './observers/statistics.ts'
import { chooseRanges, type RangeChoice } from './ranges/choose.ts'
import { isCalibrated, type QuantizeRequest } from './request.ts'

export interface Measured extends RangeChoice {
  readonly statistics: readonly TensorStatistics[]
}

/**
 * Statistics of a model's activations, and ranges from them; nothing where nobody wants, or gave data.
 * @param meanwhile what to do beside, once the runtime is at work; its signal says that nobody needs it any more
 */
export async function measure(
  model: QuantizableModel,
  pool: InferencePool,
  request: QuantizeRequest,
  wanted = isCalibrated(request.scheme),
  meanwhile: (signal: AbortSignal) => Promise<void> = async () => {},
): Promise<Measured> {
  const { calibration, onProgress } = request
  if (!wanted || calibration === undefined) {
    return { statistics: [], ...rangesFor([], model, request), findings: [] }
  }
  const failed = new AbortController()
  let beside: Promise<void> | undefined
  const onSample = (done: number, total: number) => {
    beside ??= meanwhile(failed.signal)
    // Told of below, unless the calibration fails first.
    beside.catch(() => {})
    onProgress?.(done, total, 'calibrating')
  }
  const seen = await calibrate(model, pool, calibration, onSample).catch((error: unknown) => {
    failed.abort()
    throw error
  })
  await beside
  const choice = rangesFor(seen.statistics, model, request)
  const findings = [...seen.findings, ...choice.findings]
  return { statistics: seen.statistics, ...choice, findings }
}

/** As the scheme's codes and the options want them. */
export function rangesFor(
  statistics: readonly TensorStatistics[],
  { graph }: QuantizableModel,
  { scheme, options }: QuantizeRequest,
): RangeChoice {
  const steps = BASE_SCHEMES[scheme.base].activations === 'int16' ? 65534 : 255
  const chosen = chooseRanges(statistics, options?.ranges ?? 'auto', steps, graph)
  const known = learntRanges(graph)
  return {
    ranges: new Map([...chosen.ranges, ...known]),
    unusable: new Map([...chosen.unusable].filter(([tensor]) => !known.has(tensor))),
    unbounded: chosen.unbounded,
    findings: chosen.findings.filter(({ where }) => !namedIn(known, graph, where)),
  }
}

/** What the file says of its activations: training knew more than calibration samples do. */
export function learntRanges(graph: Graph): ReadonlyMap<TensorId, Range> {
  return new Map(
    graph.tensors.flatMap(({ id, range, constant }) =>
      range === null || constant !== null ? [] : [[id, range] as const],
    ),
  )
}

function namedIn(known: ReadonlyMap<TensorId, Range>, graph: Graph, name: string | undefined) {
  return [...known.keys()].some((id) => graph.tensors[id]?.name === name)
}
