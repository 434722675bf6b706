/** An input or output as the watching sees it. */
export interface PortInfo {
  readonly name: string
  /** -1 where the model leaves a dimension open. */
  readonly shape: readonly number[]
}

export type PortSide = 'input' | 'output'

/** Numbers per inference that inputs and outputs may have between them. */
const MOST_OF: Readonly<Record<PortSide, number>> = { input: 20, output: 12 }
/** An input or output of few values is watched value by value. */
const FEW_VALUES = 8
/** More than these are no channels of a picture or a sensor. */
const MOST_PORT_CHANNELS = 6

/** The numbers of one port: what they are called, and how they come from its values. */
export interface PortFeatures {
  readonly port: string
  readonly side: PortSide
  readonly names: readonly string[]
  /** Of these, numbers of classes. */
  readonly classes: ReadonlySet<number>
  /** Values of one sample; null for a model that leaves it open. */
  readonly elements: number | null
  of(values: ArrayLike<number>): number[]
}

/**
 * What is watched of one inference is a few numbers, independent from one inference to the next as far as those are:
 * the pixels of a picture are not, so a test on them would take one picture for thousands of samples. Of each channel
 * of an input: its mean (an offset moves it), its spread (a gain), and its roughness, the mean step between neighbours
 * (noise, or a lens out of focus). Of scores of classes: the class answered and its confidence. Of few values: each.
 */
export function featuresOf(ports: readonly PortInfo[], side: PortSide): PortFeatures[] {
  let left = MOST_OF[side]
  const found: PortFeatures[] = []
  for (const port of ports) {
    const plans = [planOf(port, side), wholePort(port, side)]
    const plan = plans.find(({ names }) => names.length <= left)
    if (plan === undefined) continue
    left -= plan.names.length
    found.push(plan)
  }
  return found
}

function planOf({ name, shape }: PortInfo, side: PortSide): PortFeatures {
  const dims = shape.filter((dim, axis) => dim !== 1 && !(axis === 0 && dim < 0))
  const elements = dims.every((dim) => dim >= 0) ? dims.reduce((a, b) => a * b, 1) : null
  const base = { port: name, side, elements, classes: new Set<number>() }
  if (side === 'output' && dims.length === 1 && (dims[0] as number) >= 2) {
    const names = ['class', 'confidence', 'mean', 'spread'].map((what) => `${name} ${what}`)
    const of = (values: ArrayLike<number>) => {
      const [mean, spread] = statistics(values, 0, 1, values.length)
      return [...classAndConfidence(values), mean, spread]
    }
    return { ...base, names, classes: new Set([0]), of }
  }
  if (elements !== null && elements <= FEW_VALUES) {
    const names = Array.from({ length: elements }, (_, i) =>
      elements === 1 ? name : `${name}[${i}]`,
    )
    return { ...base, names, of: (values) => Array.from(values) }
  }
  const layout = channelsOf(dims)
  if (layout === undefined) return wholePort({ name, shape }, side)
  const { channels, isLast } = layout
  const names = Array.from({ length: channels }, (_, c) =>
    STATISTICS.map((s) => `${name}[${c}] ${s}`),
  )
  return {
    ...base,
    names: names.flat(),
    of: (values) => {
      const each = values.length / channels
      return Array.from({ length: channels }, (_, c) =>
        isLast ? statistics(values, c, channels, each) : statistics(values, c * each, 1, each),
      ).flat()
    },
  }
}

function wholePort({ name, shape }: PortInfo, side: PortSide): PortFeatures {
  const dims = shape.filter((dim, axis) => dim !== 1 && !(axis === 0 && dim < 0))
  const elements = dims.every((dim) => dim >= 0) ? dims.reduce((a, b) => a * b, 1) : null
  return {
    port: name,
    side,
    elements,
    classes: new Set(),
    names: STATISTICS.map((statistic) => `${name} ${statistic}`),
    of: (values) => statistics(values, 0, 1, values.length),
  }
}

/** Channels stand last (TensorFlow's pictures, series of sensors) or first (ONNX's pictures): whichever dimension is small. */
function channelsOf(
  dims: readonly number[],
): { readonly channels: number; readonly isLast: boolean } | undefined {
  if (dims.length < 2) return undefined
  const last = dims.at(-1) as number
  const first = dims[0] as number
  if (last >= 2 && last <= MOST_PORT_CHANNELS) return { channels: last, isLast: true }
  if (dims.length >= 3 && first >= 2 && first <= MOST_PORT_CHANNELS)
    return { channels: first, isLast: false }
  return undefined
}

const STATISTICS = ['mean', 'spread', 'roughness'] as const

/** Of `count` values from `start` on, `step` apart: mean, standard deviation, mean absolute step. */
function statistics(
  values: ArrayLike<number>,
  start: number,
  step: number,
  count: number,
): [number, number, number] {
  let mean = 0
  let squares = 0
  let steps = 0
  let before = 0
  // Welford's update: no cancellation, however far from zero the values lie.
  for (let i = 0; i < count; i += 1) {
    const value = values[start + i * step] as number
    const delta = value - mean
    mean += delta / (i + 1)
    squares += delta * (value - mean)
    if (i > 0) steps += Math.abs(value - before)
    before = value
  }
  return [mean, Math.sqrt(squares / Math.max(1, count)), steps / Math.max(1, count - 1)]
}

/** Rounded probabilities of integer outputs add up to one only about. */
const PROBABILITY_SLACK = 0.05

function classAndConfidence(scores: ArrayLike<number>): [number, number] {
  let best = 0
  for (let i = 1; i < scores.length; i += 1)
    if ((scores[i] as number) > (scores[best] as number)) best = i
  const top = scores[best] as number
  let sum = 0
  let lowest = Number.POSITIVE_INFINITY
  let odds = 0
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i] as number
    sum += score
    lowest = Math.min(lowest, score)
    odds += Math.exp(score - top)
  }
  const isProbability = lowest >= -1e-3 && Math.abs(sum - 1) <= PROBABILITY_SLACK
  return [best, isProbability ? top : 1 / odds]
}
