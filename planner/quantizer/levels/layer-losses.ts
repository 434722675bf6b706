import { sqnrDb } from '../../../shared/measure/index.ts'
import type { Form, GraphOperator, IntegerType, Plan, TensorId } from '../../graph/index.ts'
import { decode, INTEGER_LIMITS } from '../../graph/index.ts'
import type { TensorStatistics } from '../observers/statistics.ts'
import { ClippingError } from '../ranges/clipping.ts'
import { type Reading, readingOf } from '../ranges/reading.ts'
import { gridRange } from '../ranges/value-grid.ts'
import type { Candidate } from '../recovery/candidate.ts'

/** What the codes of a layer lose by themselves, whatever the layers before it lost. */
export interface LayerLoss {
  /** Its name in the model, and what the format calls its kind; `input` for what the caller feeds. */
  readonly layer: string
  readonly operator: string
  /** `output`: of what calibration saw there, cut off and rounded; `weights`: of every one of them. */
  readonly of: 'output' | 'weights'
  readonly type: IntegerType
  /** Signal to quantization noise, dB. */
  readonly sqnrDb: number
}

/** Nobody reads further down. */
const WORST = 8

/**
 * The layers whose codes lose most, worst first: of outputs by the distribution that their range was chosen on, of
 * weights by the codes that are written. Nothing is run for it.
 */
export function layerLosses(candidate: Candidate, plan: Plan): readonly LayerLoss[] {
  return [...outputLosses(candidate, plan), ...weightLosses(candidate, plan)]
    .sort((a, b) => a.sqnrDb - b.sqnrDb)
    .slice(0, WORST)
}

type IntegerForm = Extract<Form, { type: IntegerType }>

function outputLosses(candidate: Candidate, plan: Plan): LayerLoss[] {
  const { graph } = candidate.request
  return lossesOfActivations(candidate, plan).map(({ tensor, maker, ...loss }) => {
    const layer = maker?.name ?? graph.tensors[tensor]?.name ?? ''
    return { layer, operator: maker?.nativeKind ?? 'input', of: 'output', ...loss }
  })
}

/** Activations of which codes leave less than so many dB, whatever was lost before, the coarsest first: few numbers lie far beyond the others. */
export function coarseActivations(candidate: Candidate, leastDb: number): readonly TensorId[] {
  return lossesOfActivations(candidate, candidate.plan)
    .filter(({ sqnrDb }) => sqnrDb < leastDb)
    .sort((a, b) => a.sqnrDb - b.sqnrDb)
    .map(({ tensor }) => tensor)
}

interface ActivationLoss extends Pick<LayerLoss, 'type' | 'sqnrDb'> {
  readonly tensor: TensorId
  readonly maker: GraphOperator | undefined
}

function lossesOfActivations(
  { statistics, request }: Candidate,
  { instructions }: Plan,
): ActivationLoss[] {
  const { graph, links, facts } = request
  const seen = new Map(statistics.map((one) => [one.tensor, one]))
  return [...codedActivations(instructions)].flatMap(([tensor, form]) => {
    const own = seen.get(tensor)
    const maker = graph.operators[links.producers[tensor] ?? -1]
    // Who only passes codes on loses nothing of its own.
    if (!own || (maker && facts[maker.kind].integer?.output.law === 'same-as-input')) return []
    const loss = lossOfCodes(own, form, readingOf(tensor, graph, links))
    return loss === null ? [] : { tensor, maker, ...loss }
  })
}

/** What is computed in codes, and what comes in float and is coded for who reads it. */
function codedActivations(instructions: Plan['instructions']): Map<TensorId, IntegerForm> {
  const coded = new Map<TensorId, IntegerForm>()
  for (const one of instructions) {
    if (one.verb !== 'set-activation' && one.verb !== 'convert') continue
    const form = one.verb === 'convert' ? one.to : one.form
    if ('parameters' in form && !coded.has(one.tensor)) coded.set(one.tensor, form)
  }
  return coded
}

/** Null where codes are the very numbers, or there is nothing to lose. */
function lossOfCodes(
  statistics: TensorStatistics,
  { type, parameters: { scales, zeroPoints } }: IntegerForm,
  reading: Reading | null,
): Pick<LayerLoss, 'type' | 'sqnrDb'> | null {
  const { min, max } = INTEGER_LIMITS[type]
  const [scale, zeroPoint] = [scales[0], zeroPoints[0]]
  const steps = max - min
  if (scale === undefined || zeroPoint === undefined) return null
  if (statistics.count === 0 || gridRange(statistics, steps) !== null) return null
  const error = new ClippingError(statistics.histogram, reading)
  const signal = error.meanSquare
  if (!(signal > 0)) return null
  const range = { min: (min - zeroPoint) * scale, max: (max - zeroPoint) * scale }
  return { type, sqnrDb: sqnrDb(signal, error.of(range, steps)) }
}

function weightLosses({ request: { graph } }: Candidate, { instructions }: Plan): LayerLoss[] {
  let room = new Float32Array(0)
  return instructions.flatMap((one): LayerLoss[] => {
    if (one.verb !== 'store-constant' || !('parameters' in one.form)) return []
    const { form, tensor, uses } = one
    const reader = uses.find(
      (use) =>
        use.kind === 'input' &&
        graph.operators[use.operator]?.inputs[use.position]?.role === 'weight',
    )
    const operator = reader?.kind === 'input' ? graph.operators[reader.operator] : undefined
    const { constant, shape } = graph.tensors[tensor] ?? {}
    const values = operator && constant?.read()
    if (!operator || !values) return []
    if (room.length < values.length) room = new Float32Array(values.length)
    const stored = decode(one.values ?? values, shape ?? [], form, room)
    const { type } = form
    const loss = { of: 'weights', type, sqnrDb: distance(values, stored) } as const
    return [{ layer: operator.name, operator: operator.nativeKind, ...loss }]
  })
}

function distance(values: Float32Array, stored: Float32Array): number {
  let [signal, noise] = [0, 0]
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number
    const error = value - (stored[i] as number)
    signal += value * value
    noise += error * error
  }
  return sqnrDb(signal, noise)
}
