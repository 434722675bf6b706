import type { OnnxNode } from '../../../onnx/index.ts'
import { intOf, stringOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, concat, dense, mul, pointwise, shapeOf, slice, sub } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape, turn } from '../graph-builder.ts'
import {
  type Constraint,
  hasInput,
  input,
  type Lowering,
  type LoweringRow,
  output,
  row,
} from '../lowering.ts'

/**
 * Recurrent layers are written out step by step: the kernel for sequences keeps its state from one run to the next, which
 * ONNX does not.
 */
const MOST_STEPS = 512

interface State {
  readonly h: DraftTensor
  readonly c: DraftTensor | null
}

/** What the gates get at one step, from the input and from the state before: [batch, gates·hidden] each. */
interface Step {
  readonly fromInput: DraftTensor
  readonly state: State
  readonly recurrent: DraftTensor
  /** Bias of the recurrent product; it is part of `fromInput` where that is the same. */
  readonly recurrentBias: DraftTensor | null
}

interface Cell {
  readonly gates: number
  readonly hasCellState: boolean
  readonly next: (graph: GraphBuilder, step: Step, node: OnnxNode) => State
}

const sigmoid = (graph: GraphBuilder, x: DraftTensor) => pointwise(graph, 'LOGISTIC', [x])
const tanh = (graph: GraphBuilder, x: DraftTensor) => pointwise(graph, 'TANH', [x])

function parts(graph: GraphBuilder, x: DraftTensor, count: number): DraftTensor[] {
  const [batch = 1, width = 1] = shapeOf(x)
  const results = Array.from({ length: count }, () =>
    graph.fresh(x.fields.type, [batch, width / count], x),
  )
  graph.operator('SPLIT', [graph.scalar(1, 'int32'), x], results, { numSplits: count })
  return results
}

/** Gates in the order i, o, f, c (onnx, Operators: LSTM). */
const lstm: Cell = {
  gates: 4,
  hasCellState: true,
  next(graph, { fromInput, state, recurrent }) {
    const sum = add(graph, fromInput, dense(graph, state.h, recurrent, null))
    const [i, o, f, g] = parts(graph, sum, 4) as [
      DraftTensor,
      DraftTensor,
      DraftTensor,
      DraftTensor,
    ]
    const kept = mul(graph, sigmoid(graph, f), state.c as DraftTensor)
    const c = add(graph, kept, mul(graph, sigmoid(graph, i), tanh(graph, g)))
    return { c, h: mul(graph, sigmoid(graph, o), tanh(graph, c)) }
  },
}

/** Gates in the order z, r, h (onnx, Operators: GRU). */
const gru: Cell = {
  gates: 3,
  hasCellState: false,
  next(graph, { fromInput, state, recurrent, recurrentBias }, node) {
    const { h } = state
    const hidden = shapeOf(h)[1] as number
    const rows = (from: number, count: number) =>
      slice(graph, recurrent, [from * hidden, 0], [count * hidden, hidden])
    const [xz, xr, xh] = parts(graph, fromInput, 3) as [DraftTensor, DraftTensor, DraftTensor]
    const gates = parts(graph, dense(graph, h, rows(0, 2), null), 2) as [DraftTensor, DraftTensor]
    const z = sigmoid(graph, add(graph, xz, gates[0]))
    const r = sigmoid(graph, add(graph, xr, gates[1]))
    const after = intOf(node, 'linear_before_reset', 0) === 1
    const candidate = after
      ? mul(graph, r, dense(graph, h, rows(2, 1), recurrentBias))
      : dense(graph, mul(graph, r, h), rows(2, 1), recurrentBias)
    const fresh = tanh(graph, add(graph, xh, candidate))
    const kept = mul(graph, z, sub(graph, h, fresh))
    return { c: null, h: add(graph, fresh, kept) }
  },
}

const rnn: Cell = {
  gates: 1,
  hasCellState: false,
  next: (graph, { fromInput, state, recurrent }) => ({
    c: null,
    h: tanh(graph, add(graph, fromInput, dense(graph, state.h, recurrent, null))),
  }),
}

interface Sequence {
  readonly x: DraftTensor
  readonly steps: number
  readonly batch: number
  readonly hidden: number
}

interface Direction {
  readonly at: number
  readonly backwards: boolean
}

function recurrent(cell: Cell): Lowering {
  return (node, graph) => {
    const batchFirst = intOf(node, 'layout', 0) === 1
    const given = graph.value(input(node, 0))
    const x = batchFirst ? turn(graph, given, [1, 0, 2]) : given
    const [steps = 1, batch = 1] = shapeOf(x)
    need(
      steps <= MOST_STEPS,
      `it runs over ${steps} steps, and more than ${MOST_STEPS} are not written out`,
    )
    const hidden = graph.shapeOf(input(node, 2))[2] as number
    const sequence = { x, steps, batch, hidden }
    const way = stringOf(node, 'direction', 'forward')
    const directions = way === 'bidirectional' ? [false, true] : [way === 'reverse']
    const runs = directions.map((backwards, at) =>
      runThrough(node, graph, cell, sequence, { at, backwards }),
    )
    give(node, graph, runs, { batchFirst, ...sequence })
  }
}

function runThrough(
  node: OnnxNode,
  graph: GraphBuilder,
  cell: Cell,
  sequence: Sequence,
  { at, backwards }: Direction,
) {
  const { x, steps, batch, hidden } = sequence
  const rows = cell.gates * hidden
  const weights = row0(graph, input(node, 1), at, [rows, shapeOf(x)[2] as number])
  const recurrentWeights = row0(graph, input(node, 2), at, [rows, hidden])
  const { whole, late } = biasesOf(node, graph, cell, { at, hidden })
  const products = dense(graph, x, weights, whole)
  let state = initialState(node, graph, cell, { at, batch, hidden })
  const results: DraftTensor[] = []
  for (let i = 0; i < steps; i += 1) {
    const t = backwards ? steps - 1 - i : i
    const fromInput = reshape(graph, slice(graph, products, [t, 0, 0], [1, batch, rows]), [
      batch,
      rows,
    ])
    state = cell.next(
      graph,
      { fromInput, state, recurrent: recurrentWeights, recurrentBias: late },
      node,
    )
    results[t] = reshape(graph, state.h, [1, 1, batch, hidden])
  }
  return { state, sequence: results }
}

/** Row `at` of a stack of matrices, one for each direction. */
function row0(
  graph: GraphBuilder,
  name: string,
  at: number,
  shape: readonly number[],
): DraftTensor {
  const stored = graph.source.constant(name)
  const size = shape.reduce((a, b) => a * b, 1)
  if (stored !== null)
    return graph.constant(name, stored.type, shape, stored.data.slice(at * size, (at + 1) * size))
  const tensor = graph.value(name)
  return reshape(graph, slice(graph, tensor, [at, ...shape.map(() => 0)], [1, ...shape]), shape)
}

/** Both biases added up, but for the one that GRU adds behind its reset gate. */
function biasesOf(
  node: OnnxNode,
  graph: GraphBuilder,
  cell: Cell,
  { at, hidden }: { at: number; hidden: number },
) {
  if (!hasInput(node, 3)) return { whole: null, late: null }
  const rows = cell.gates * hidden
  const both = row0(graph, input(node, 3), at, [2 * rows])
  if (both.data === null) return computedBiases(graph, both, cell, hidden)
  const own = new Float32Array(both.data.slice().buffer)
  const separate = cell === gru
  const whole = Float32Array.from({ length: rows }, (_, i) => {
    const isLate = separate && i >= 2 * hidden
    return (own[i] as number) + (isLate ? 0 : (own[rows + i] as number))
  })
  const late = separate ? graph.floats('bias', [hidden], own.slice(rows + 2 * hidden)) : null
  return { whole: graph.floats('bias', [rows], whole), late }
}

function computedBiases(graph: GraphBuilder, both: DraftTensor, cell: Cell, hidden: number) {
  const rows = cell.gates * hidden
  const from = (begin: number, size: number) => slice(graph, both, [begin], [size])
  if (cell !== gru) return { whole: add(graph, from(0, rows), from(rows, rows)), late: null }
  const early = add(graph, from(0, 2 * hidden), from(rows, 2 * hidden))
  const whole = concat(graph, [early, from(2 * hidden, hidden)], 0)
  return { whole, late: from(rows + 2 * hidden, hidden) }
}

function initialState(
  node: OnnxNode,
  graph: GraphBuilder,
  cell: Cell,
  at: { at: number; batch: number; hidden: number },
): State {
  const shape = [at.batch, at.hidden]
  const from = (position: number) =>
    hasInput(node, position)
      ? row0(graph, input(node, position), at.at, shape)
      : graph.floats('start', shape, new Float32Array(at.batch * at.hidden))
  return { h: from(5), c: cell.hasCellState ? from(6) : null }
}

interface Run {
  readonly state: State
  readonly sequence: readonly DraftTensor[]
}

/** Y [steps, directions, batch, hidden], Y_h and Y_c [directions, batch, hidden]; batch first where the layout says so. */
function give(
  node: OnnxNode,
  graph: GraphBuilder,
  runs: readonly Run[],
  at: Sequence & { batchFirst: boolean },
): void {
  const { batchFirst, batch, hidden } = at
  const ends = (one: (state: State) => DraftTensor | null, position: number) => {
    if (output(node, position) === '') return
    const rows = runs.map(({ state }) =>
      reshape(graph, one(state) as DraftTensor, [1, batch, hidden]),
    )
    const whole = concat(graph, rows, 0)
    graph.give(output(node, position), 'source', batchFirst ? turn(graph, whole, [1, 0, 2]) : whole)
  }
  if (output(node) !== '') {
    const whole = concat(
      graph,
      runs.map(({ sequence }) => concat(graph, sequence, 0)),
      1,
    )
    graph.give(output(node), 'source', batchFirst ? turn(graph, whole, [2, 0, 1, 3]) : whole)
  }
  ends(({ h }) => h, 1)
  ends(({ c }) => c, 2)
}

const plain: Constraint = (node) => {
  const other = node.attribute.find(({ name }) =>
    ['activations', 'clip', 'activation_alpha'].includes(name),
  )
  const usual = /^(Sigmoid,)?Tanh(,Tanh)?(,(Sigmoid,)?Tanh(,Tanh)?)?$/
  if (other?.name === 'activations') {
    const words = other.strings.map((one) => new TextDecoder().decode(one)).join()
    return usual.test(words) ? null : `its activations are ${words}`
  }
  if (other !== undefined) return `it sets ${other.name}`
  return intOf(node, 'input_forget', 0) === 1 ? 'its input and forget gates are tied' : null
}

/** Lengths that are all the whole sequence say nothing. */
const wholeSequences: Constraint = (node, graph) => {
  if (!hasInput(node, 4)) return null
  const lengths = graph.source.integers(input(node, 4))
  const steps = graph.shapeOf(input(node, 0))[intOf(node, 'layout', 0)]
  return lengths?.every((length) => length === steps)
    ? null
    : 'its sequences have lengths of their own'
}

const withoutPeepholes: Constraint = (node) => (hasInput(node, 7) ? 'it has peepholes' : null)

export const RECURRENT: Readonly<Record<string, LoweringRow>> = {
  LSTM: row(recurrent(lstm), plain, wholeSequences, withoutPeepholes),
  GRU: row(recurrent(gru), plain, wholeSequences),
  RNN: row(recurrent(rnn), plain, wholeSequences),
}
