import type { OnnxNode } from '../../../onnx/index.ts'
import { floatOf, floatsOf, intOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, between, dense, mul, pointwise, shapeOf, slice, sub } from '../emit.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import {
  type Activation,
  exponential,
  hardSigmoid,
  leakyRelu,
  line,
  one,
  softplus,
  softsign,
  thresholded,
} from './activations.ts'

export interface State {
  readonly h: DraftTensor
  readonly c: DraftTensor | null
}

/** What the gates get at one step, from the input and from the state before: [batch, gates·hidden] each. */
export interface Step {
  readonly fromInput: DraftTensor
  readonly state: State
  readonly recurrent: DraftTensor
  /** Bias of the recurrent product; it is part of `fromInput` where that is the same. */
  readonly recurrentBias: DraftTensor | null
  /** How the state looks into the gates i, o and f: [hidden] each. */
  readonly peepholes: readonly [DraftTensor, DraftTensor, DraftTensor] | null
  /** f, g and h of one direction, bounds of their arguments included. */
  readonly functions: readonly Activation[]
}

export interface Cell {
  readonly gates: number
  readonly hasCellState: boolean
  /** Of one direction, where the node names none. */
  readonly activations: readonly string[]
  readonly next: (graph: GraphBuilder, step: Step, node: OnnxNode) => State
}

interface Parameters {
  readonly alpha: number
  readonly beta: number
}

const number = (graph: GraphBuilder, value: number) => graph.scalar(value)

const scaledTanh =
  ({ alpha, beta }: Parameters): Activation =>
  (graph, x) => {
    const inner = mul(graph, x, number(graph, beta))
    return mul(graph, pointwise(graph, 'TANH', [inner]), number(graph, alpha))
  }

/** The activations that recurrent operators may name, and their usual parameters (onnx, Operators: LSTM). */
const ACTIVATIONS: Readonly<
  Record<
    string,
    { readonly alpha?: number; readonly beta?: number; make: (by: Parameters) => Activation }
  >
> = {
  sigmoid: { make: () => one('LOGISTIC') },
  tanh: { make: () => one('TANH') },
  relu: { make: () => one('RELU') },
  softsign: { make: () => softsign },
  softplus: { make: () => softplus },
  leakyrelu: { alpha: 0.01, make: ({ alpha }) => leakyRelu(alpha) },
  elu: { alpha: 1, make: ({ alpha }) => exponential({ alpha }) },
  thresholdedrelu: { alpha: 1, make: ({ alpha }) => thresholded(alpha) },
  hardsigmoid: { alpha: 0.2, beta: 0.5, make: ({ alpha, beta }) => hardSigmoid(alpha, beta) },
  affine: { alpha: 1, beta: 0, make: ({ alpha, beta }) => line(alpha, beta) },
  scaledtanh: { alpha: 1, beta: 1, make: scaledTanh },
}

/** Names in the order of directions, lower case as they are compared without it; null where the node names none. */
export function activationNames(node: OnnxNode): string[] | null {
  const words = node.attribute.find(({ name }) => name === 'activations')?.strings
  return words?.map((one) => new TextDecoder().decode(one).toLowerCase()) ?? null
}

export function isKnownActivation(name: string): boolean {
  return name in ACTIVATIONS
}

/** The functions of direction `at`: parameters are taken by those that have any, in their order. */
export function functionsOf(node: OnnxNode, cell: Cell, at: number): Activation[] {
  const count = cell.activations.length
  const names = activationNames(node) ?? [...cell.activations, ...cell.activations]
  const given = {
    alpha: floatsOf(node, 'activation_alpha'),
    beta: floatsOf(node, 'activation_beta'),
  }
  const taken = { alpha: 0, beta: 0 }
  const clip = floatOf(node, 'clip', 0)
  const all = names.map((name, i): Activation => {
    const known = ACTIVATIONS[name] as (typeof ACTIVATIONS)[string]
    const parameter = (which: 'alpha' | 'beta') => {
      const usual = known[which]
      if (usual === undefined) return 0
      taken[which] += 1
      return given[which]?.[taken[which] - 1] ?? usual
    }
    const apply = known.make({ alpha: parameter('alpha'), beta: parameter('beta') })
    // What a cell shows of its state has no bounds (onnxruntime, uni_directional_lstm.cc).
    const isFree = clip === 0 || i % count === 2
    return isFree ? apply : (graph, x) => apply(graph, between(graph, x, -clip, clip))
  })
  return all.slice(at * count, (at + 1) * count)
}

function parts(graph: GraphBuilder, x: DraftTensor, count: number): DraftTensor[] {
  const [batch = 1, width = 1] = shapeOf(x)
  const results = Array.from({ length: count }, () =>
    graph.fresh(x.fields.type, [batch, width / count], x),
  )
  graph.operator('SPLIT', [graph.scalar(1, 'int32'), x], results, { numSplits: count })
  return results
}

/** Gates in the order i, o, f, c (onnx, Operators: LSTM). */
export const lstm: Cell = {
  gates: 4,
  hasCellState: true,
  activations: ['sigmoid', 'tanh', 'tanh'],
  next(graph, { fromInput, state, recurrent, peepholes, functions }, node) {
    const [f, g, h] = functions as [Activation, Activation, Activation]
    const sum = add(graph, fromInput, dense(graph, state.h, recurrent, null))
    const [xi, xo, xf, xc] = parts(graph, sum, 4) as [
      DraftTensor,
      DraftTensor,
      DraftTensor,
      DraftTensor,
    ]
    const before = state.c as DraftTensor
    const seen = (x: DraftTensor, which: 0 | 1 | 2, c: DraftTensor) =>
      peepholes === null ? x : add(graph, x, mul(graph, peepholes[which], c))
    const input = f(graph, seen(xi, 0, before))
    const forget =
      intOf(node, 'input_forget', 0) === 1
        ? sub(graph, number(graph, 1), input)
        : f(graph, seen(xf, 2, before))
    const kept = mul(graph, forget, before)
    const c = add(graph, kept, mul(graph, input, g(graph, xc)))
    return { c, h: mul(graph, f(graph, seen(xo, 1, c)), h(graph, c)) }
  },
}

/** Gates in the order z, r, h (onnx, Operators: GRU). */
export const gru: Cell = {
  gates: 3,
  hasCellState: false,
  activations: ['sigmoid', 'tanh'],
  next(graph, { fromInput, state, recurrent, recurrentBias, functions }, node) {
    const { h } = state
    const [f, g] = functions as [Activation, Activation]
    const hidden = shapeOf(h)[1] as number
    const rows = (from: number, count: number) =>
      slice(graph, recurrent, [from * hidden, 0], [count * hidden, hidden])
    const [xz, xr, xh] = parts(graph, fromInput, 3) as [DraftTensor, DraftTensor, DraftTensor]
    const gates = parts(graph, dense(graph, h, rows(0, 2), null), 2) as [DraftTensor, DraftTensor]
    const z = f(graph, add(graph, xz, gates[0]))
    const r = f(graph, add(graph, xr, gates[1]))
    const after = intOf(node, 'linear_before_reset', 0) === 1
    const candidate = after
      ? mul(graph, r, dense(graph, h, rows(2, 1), recurrentBias))
      : dense(graph, mul(graph, r, h), rows(2, 1), recurrentBias)
    const fresh = g(graph, add(graph, xh, candidate))
    const kept = mul(graph, z, sub(graph, h, fresh))
    return { c: null, h: add(graph, fresh, kept) }
  },
}

export const rnn: Cell = {
  gates: 1,
  hasCellState: false,
  activations: ['tanh'],
  next: (graph, { fromInput, state, recurrent, functions: [f] }) => ({
    c: null,
    h: (f as Activation)(graph, add(graph, fromInput, dense(graph, state.h, recurrent, null))),
  }),
}
