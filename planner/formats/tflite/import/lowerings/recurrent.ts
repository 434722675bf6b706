import type { OnnxNode } from '../../../onnx/index.ts'
import { intOf, stringOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, cast, concat, dense, mul, pointwise, shapeOf, slice } from '../emit.ts'
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
import {
  activationNames,
  type Cell,
  functionsOf,
  gru,
  isKnownActivation,
  lstm,
  rnn,
  type State,
} from './recurrent-cells.ts'

/**
 * Recurrent layers are written out step by step: the kernel for sequences keeps its state from one run to the next, which
 * ONNX does not.
 */
const MOST_STEPS = 512

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
  const peepholes = peepholesOf(node, graph, at, hidden)
  const functions = functionsOf(node, cell, at)
  const within = hasInput(node, 4) ? lengthsOf(node, graph, sequence) : null
  let state = initialState(node, graph, cell, { at, batch, hidden })
  const results: DraftTensor[] = []
  for (let i = 0; i < steps; i += 1) {
    const t = backwards ? steps - 1 - i : i
    const fromInput = reshape(graph, slice(graph, products, [t, 0, 0], [1, batch, rows]), [
      batch,
      rows,
    ])
    const recurrent = { recurrent: recurrentWeights, recurrentBias: late, peepholes, functions }
    const next = cell.next(graph, { fromInput, state, ...recurrent }, node)
    const lasts = within?.(t) ?? null
    state = lasts === null ? next : held(graph, lasts, next, state)
    const told = lasts === null ? state.h : mul(graph, state.h, cast(graph, lasts, 'FLOAT32'))
    results[t] = reshape(graph, told, [1, 1, batch, hidden])
  }
  return { state, sequence: results }
}

/** Whether step t is within each sample's own length: [batch, 1]. Null where it is in all. */
function lengthsOf(node: OnnxNode, graph: GraphBuilder, { batch, steps }: Sequence) {
  const known = graph.source.integers(input(node, 4))
  if (known?.every((length) => length === steps)) return null
  const lengths = reshape(graph, cast(graph, graph.value(input(node, 4)), 'INT32'), [batch, 1])
  return (t: number): DraftTensor =>
    pointwise(graph, 'GREATER', [lengths, graph.scalar(t, 'int32')], {}, 'BOOL')
}

/** A sample that has ended keeps its state; one that has not begun, as it goes backwards, its first. */
function held(graph: GraphBuilder, lasts: DraftTensor, next: State, before: State): State {
  const choose = (a: DraftTensor, b: DraftTensor) =>
    pointwise(graph, 'SELECT_V2', [lasts, a, b], {}, 'FLOAT32')
  return {
    h: choose(next.h, before.h),
    c: next.c && choose(next.c, before.c as DraftTensor),
  }
}

function peepholesOf(node: OnnxNode, graph: GraphBuilder, at: number, hidden: number) {
  if (!hasInput(node, 7)) return null
  const all = row0(graph, input(node, 7), at, [3 * hidden])
  const part = (which: number) => slice(graph, all, [which * hidden], [hidden])
  return [part(0), part(1), part(2)] as const
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

const knownActivations: Constraint = (node) => {
  const odd = activationNames(node)?.find((name) => !isKnownActivation(name))
  return odd === undefined ? null : `no kernel activates with ${odd}`
}

export const RECURRENT: Readonly<Record<string, LoweringRow>> = {
  LSTM: row(recurrent(lstm), knownActivations),
  GRU: row(recurrent(gru), knownActivations),
  RNN: row(recurrent(rnn), knownActivations),
}
