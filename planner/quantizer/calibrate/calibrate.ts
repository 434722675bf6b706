import { type Dataset, DatasetError, samplesFor } from '../../../shared/dataset/index.ts'
import { messageOf } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/findings.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type {
  Entry,
  Graph,
  GraphTensor,
  Instrumented,
  ObserverPlan,
  OperatorId,
  QuantizableModel,
  Summarised,
  TensorId,
} from '../../graph/index.ts'
import { elementsOf } from '../../graph/index.ts'
import { QuantizerError } from '../errors.ts'
import type { InferencePool } from '../inference-pool/inference-pool.ts'
import type { SampleSource } from '../inference-pool/messages.ts'
import { learntFrom } from '../observers/held-out.ts'
import { TensorObserver } from '../observers/observer.ts'
import type { TensorStatistics } from '../observers/statistics.ts'
import { momentsPlans } from './moments-plans.ts'

/** What else to observe than ranges, and where. */
export interface CalibrationWish {
  /** Nothing but second moments of what these products multiply, on samples that are not held out. */
  readonly moments?: ReadonlySet<OperatorId>
  /** Tensors of the first entry to look at; all where absent. */
  readonly only?: readonly TensorId[]
}

export interface Calibration {
  readonly statistics: readonly TensorStatistics[]
  readonly findings: readonly Finding[]
}

/**
 * Runs the model over the data in its real runtime and observes every activation; memory does not grow
 * with the number of samples.
 * @throws DatasetError when the data does not fit the model, QuantizerError when the model does not run.
 */
export async function calibrate(
  model: QuantizableModel,
  pool: InferencePool,
  dataset: Dataset,
  onSample: (done: number, total: number) => void,
  wish: CalibrationWish = {},
): Promise<Calibration> {
  const statistics: TensorStatistics[] = []
  const findings: Finding[] = []
  const averaged = readByProducts(model.graph)
  const moments = momentsPlans(model.graph, wish.moments ?? new Set())
  if (wish.moments && moments.size === 0) return { statistics, findings }
  for (const [at, entry] of model.entries.entries()) {
    const all = samplesOf(entry, dataset, at === 0)
    const samples = all !== null && wish.moments ? learnt(all) : all
    if (samples === null) {
      findings.push(notCalibrated(model, entry))
      continue
    }
    const planFor = (tensor: TensorId): ObserverPlan => ({
      tensor,
      ...channelsOf(model.graph, tensor, averaged.get(tensor)),
      samples: samples.count,
      moments: moments.get(tensor) ?? [],
      ...(wish.moments && { only: 'moments' as const }),
    })
    const asked = wish.moments ? [...moments.keys()] : wish.only
    const watch = { planFor, onSample, only: computedIn(entry, model.graph, asked) }
    statistics.push(...(await calibrateEntry(model, entry, pool, samples, watch)))
  }
  return { statistics, findings }
}

/**
 * Samples whose means tell what to correct. Means are compared of the same samples, before and after: a few of large
 * activations are enough, of small ones more.
 */
const FOR_MEANS = { least: 12, most: 64, numbers: 2 ** 23 }

/**
 * Means of the channels of what `copy` gives out, an instrumented copy of the model's first entry, on samples that are
 * not held out. Shapes are the model's; numbers are real, whatever it computes on.
 * @param wanted the rest of what it gives out is not looked at
 * @throws RuntimeError
 */
export async function channelMeans(
  model: QuantizableModel,
  { bytes, outputs }: Instrumented,
  pool: InferencePool,
  dataset: Dataset,
  wanted: ReadonlySet<TensorId> = new Set(outputs),
): Promise<ReadonlyMap<TensorId, Float64Array>> {
  const [entry] = model.entries
  const samples = entry === undefined ? null : samplesOf(entry, dataset, true)
  if (samples === null) return new Map()
  const each = outputs.reduce((sum, tensor) => sum + elementsOf(tensor, model.graph), 1)
  const { least, most, numbers } = FOR_MEANS
  const enough = Math.min(most, Math.max(least, Math.floor(numbers / each)))
  const some = learnt(samples, enough)
  const averaged = readByProducts(model.graph)
  const observed = outputs.map((tensor) => ({
    tensor,
    ...channelsOf(
      model.graph,
      tensor,
      wanted.has(tensor) ? (averaged.get(tensor) ?? null) : undefined,
    ),
    samples: some.count,
    only: 'means' as const,
  }))
  const { statistics } = await pool.watch({ bytes, observed }, some, () => {})
  return new Map(
    statistics.flatMap(({ tensor, channels }) => (channels ? [[tensor, channels.means]] : [])),
  )
}

/** At most so many that are not held out. */
function learnt(samples: SampleSource, most = samples.count): SampleSource {
  const places = learntFrom(samples.count, most)
  return { count: places.length, at: (i, into) => samples.at(places[i] ?? 0, into) }
}

interface Watch {
  readonly planFor: (tensor: TensorId) => ObserverPlan
  readonly onSample: (done: number, total: number) => void
  readonly only: readonly TensorId[] | undefined
}

async function calibrateEntry(
  model: QuantizableModel,
  entry: Entry,
  pool: InferencePool,
  samples: SampleSource,
  { planFor, onSample, only }: Watch,
): Promise<TensorStatistics[]> {
  // Inputs are at hand before the runtime has them.
  const observers = entry.tensors.map((tensor, i) =>
    only === undefined && entry.inputs[i]?.type === 'float32'
      ? new TensorObserver(planFor(tensor))
      : null,
  )
  const watched: SampleSource = {
    count: samples.count,
    at: (sample, into) => {
      const inputs = samples.at(sample, into)
      observers.forEach((observer, i) => {
        observer?.see(inputs[i]?.data as Float32Array, sample)
      })
      return inputs
    },
  }
  try {
    const whole = () => wholeActivations(model.instrument(entry, only), planFor)
    const summed = only === undefined ? await summaryOf(model, pool, samples, planFor) : null
    const onRan = (ran: number) => onSample(ran, samples.count)
    const report = await pool.watch(summed ?? whole(), watched, onRan)
    const { statistics } = report.sharp ? report : await pool.watch(whole(), samples, onRan)
    return [...observers.flatMap((observer) => observer?.result() ?? []), ...statistics]
  } catch (cause) {
    if (cause instanceof DatasetError || cause instanceof QuantizerError) throw cause
    throw new QuantizerError(
      'calibration-unusable',
      `the model does not run on the calibration data: ${messageOf(cause)}${withoutElements(model.graph)}`,
      {},
      { cause },
    )
  }
}

/**
 * What the runtime can sum up. Most exporters leave the batch open, and then nothing is known of sizes behind it: the
 * first sample tells them.
 */
async function summaryOf(
  model: QuantizableModel,
  pool: InferencePool,
  samples: SampleSource,
  planFor: (tensor: TensorId) => ObserverPlan,
): Promise<Summarised | null> {
  const summed = model.summarise?.(planFor, new Map()) ?? null
  const isOpen = ({ shape }: GraphTensor) => shape === null || shape.some((dim) => dim < 0)
  const open = summed?.observed.filter(({ tensor }) =>
    isOpen(model.graph.tensors[tensor] as GraphTensor),
  )
  if (summed === null || !open?.length || samples.count === 0) return summed
  return model.summarise?.(planFor, await pool.shapes(summed, samples.at(0))) ?? null
}

/** Undefined where none of them is: a copy that gives out nothing does not load. */
function computedIn(
  { subgraph, tensors }: Entry,
  graph: Graph,
  asked: readonly TensorId[] | undefined,
): readonly TensorId[] | undefined {
  const within = (id: TensorId) => graph.tensors[id]?.subgraph === subgraph
  return asked?.some((id) => within(id) && !tensors.includes(id)) ? asked : undefined
}

function wholeActivations(
  { bytes, outputs }: Instrumented,
  planFor: (tensor: TensorId) => ObserverPlan,
): Summarised {
  return { bytes, observed: outputs.map(planFor) }
}

/** Runtimes do not say which tensor they stumble over. */
function withoutElements({ tensors, operators }: Graph): string {
  const reader = operators.find(({ inputs }) =>
    inputs.some(({ tensor, role }) => role !== 'shape' && isEmpty(tensors[tensor ?? -1])),
  )
  const input = reader?.inputs.find(({ tensor }) => isEmpty(tensors[tensor ?? -1]))
  if (reader === undefined || input === undefined) return ''
  const { name = '' } = tensors[input.tensor ?? -1] ?? {}
  return `; perhaps because "${name}", which ${reader.nativeKind} "${reader.name}" reads, has no elements`
}

function isEmpty(tensor: GraphTensor | undefined): boolean {
  return tensor?.shape?.includes(0) ?? false
}

/** The data must fit the first entry; another that it does not fit stays without calibration. */
function samplesOf(entry: Entry, dataset: Dataset, first: boolean): SampleSource | null {
  try {
    const samples = samplesFor(dataset, entry.inputs)
    return {
      count: samples.count,
      at: (sample, into) => {
        const spare = entry.inputs.flatMap(({ name }, i) => {
          const tensor = into?.[i]
          return tensor === undefined ? [] : [[name, tensor] as const]
        })
        const byName = samples.at(sample, Object.fromEntries(spare))
        return entry.inputs.map((input) => byName[input.name] as Tensor)
      },
    }
  } catch (error) {
    if (first || !(error instanceof DatasetError)) throw error
    return null
  }
}

/** Activations whose channel means decide what rounding a weight does to the mean of its products. */
function readByProducts(graph: Graph): Map<TensorId, number | null> {
  const products = graph.operators.filter(({ inputs }) =>
    inputs.some((input) => input.role === 'weight'),
  )
  return new Map(
    products.flatMap(({ inputs }) =>
      inputs.flatMap(({ tensor, role, channelAxis }) =>
        role === 'activation' && tensor !== null ? [[tensor, channelAxis] as const] : [],
      ),
    ),
  )
}

/** Along `axis`, or the last dimension where it is null; undefined: nobody asks. */
function channelsOf(graph: Graph, tensor: TensorId, axis: number | null | undefined) {
  const shape = graph.tensors[tensor]?.shape ?? []
  const count = axis === undefined ? 0 : Math.max(0, shape.at(axis ?? -1) ?? 0)
  return { channels: count, channelsFirst: axis === 1 && shape.length > 2 }
}

function notCalibrated(model: QuantizableModel, entry: Entry): Finding {
  const name = model.graph.subgraphs[entry.subgraph]?.name ?? ''
  const inputs = entry.inputs.map((input) => `"${input.name}"`).join(', ')
  return {
    code: 'entry-not-calibrated',
    severity: 'warning',
    message: `the calibration data does not fit the inputs of "${name}" (${inputs}): its operators stay in float`,
    where: name,
  }
}
