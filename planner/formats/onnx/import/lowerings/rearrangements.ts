import { DATA_TYPES } from '../../schema.ts'
import { ImportError } from '../errors.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { axisIn } from '../layout.ts'
import { input, type Lowering, option, output } from '../lowering.ts'
import { needed } from './shapes.ts'

/** Before the first element, whatever the size. */
const BEFORE_ALL = -(2 ** 31)

const reverse: Lowering = (operator, graph) => {
  const rank = graph.shapeOf(input(operator, 0)).length
  const axes = needed(operator, graph, 1, 'axis').map((axis) => axisIn('native', axis, rank))
  const result = graph.define(output(operator), 'native')
  const bounds = [axes.map(() => -1), axes.map(() => BEFORE_ALL), axes, axes.map(() => -1)]
  const named = bounds.map((values, i) => graph.int64s(`${result}/reverse${i}`, values))
  graph.node('Slice', [graph.value(input(operator, 0)), ...named], [result])
}

/** N, then each size as blocks × block; blocks' insides go before N, and become part of it. */
const spaceToBatch: Lowering = (operator, graph) => {
  const shape = graph.shapeOf(input(operator, 0))
  const block = needed(operator, graph, 1, 'block')
  const pads = needed(operator, graph, 2, 'padding')
  const result = graph.define(output(operator), 'native')
  const before = block.map((_, i) => pads[2 * i] as number)
  const after = block.map((_, i) => pads[2 * i + 1] as number)
  const rest = shape.slice(1 + block.length)
  const still = rest.map(() => 0)
  const flat = [0, ...before, ...still, 0, ...after, ...still]
  const padded = graph.compute(
    'Pad',
    [graph.value(input(operator, 0)), graph.int64s(`${result}/pads`, flat)],
    result,
  )
  const sizes = block.map(
    (size, i) => (closed(shape[1 + i]) + (before[i] as number) + (after[i] as number)) / size,
  )
  const split = [-1, ...sizes.flatMap((size, i) => [size, block[i] as number]), ...rest]
  const inner = block.map((_, i) => 2 + 2 * i)
  const outer = block.map((_, i) => 1 + 2 * i)
  const tail = rest.map((_, i) => 1 + 2 * block.length + i)
  const parts = reshaped(graph, padded, split, result)
  const turned = graph.compute('Transpose', [parts], result, {
    perm: ['ints', [...inner, 0, ...outer, ...tail]],
  })
  graph.node(
    'Reshape',
    [turned, graph.int64s(`${result}/joined`, [-1, ...sizes, ...rest])],
    [result],
  )
}

const batchToSpace: Lowering = (operator, graph) => {
  const shape = graph.shapeOf(input(operator, 0))
  const block = needed(operator, graph, 1, 'block')
  const crops = needed(operator, graph, 2, 'crop')
  const result = graph.define(output(operator), 'native')
  const sizes = block.map((_, i) => closed(shape[1 + i]))
  const rest = shape.slice(1 + block.length)
  const n = block.length
  const parts = reshaped(
    graph,
    graph.value(input(operator, 0)),
    [...block, -1, ...sizes, ...rest],
    result,
  )
  const tail = rest.map((_, i) => 2 * n + 1 + i)
  const turned = graph.compute('Transpose', [parts], result, {
    perm: ['ints', [n, ...block.flatMap((_, i) => [n + 1 + i, i]), ...tail]],
  })
  const whole = sizes.map((size, i) => size * (block[i] as number))
  const joined = reshaped(graph, turned, [-1, ...whole, ...rest], result)
  const bounds = [
    block.map((_, i) => crops[2 * i] as number),
    whole.map((size, i) => size - (crops[2 * i + 1] as number)),
    block.map((_, i) => 1 + i),
  ].map((values, i) => graph.int64s(`${result}/crop${i}`, values))
  graph.node('Slice', [joined, ...bounds], [result])
}

function reshaped(graph: GraphBuilder, from: string, shape: readonly number[], near: string) {
  return graph.compute('Reshape', [from, graph.int64s(`${near}/shape`, shape)], near)
}

function closed(size: number | undefined): number {
  if (size !== undefined && size >= 0) return size
  throw new ImportError('unsupported-model', 'blocks of a dimension that is left open')
}

const topK: Lowering = (operator, graph) => {
  const [k = 0] = needed(operator, graph, 1, 'number')
  const [values = -1, indices = -1] = operator.outputs
  const largest = graph.define(values, 'native')
  const places = graph.define(indices, 'native')
  const wide = graph.fresh(`${places}/int64`)
  const from = graph.value(input(operator, 0))
  graph.node('TopK', [from, graph.int64s(`${largest}/k`, [k])], [largest, wide])
  graph.node('Cast', [wide], [places], { to: ['int', DATA_TYPES[graph.typeOf(indices)].code] })
}

const oneHot: Lowering = (operator, graph) => {
  const [depth = 0] = needed(operator, graph, 1, 'depth')
  const [on, off] = [graph.constant(input(operator, 2)), graph.constant(input(operator, 3))]
  if (graph.typeOf(output(operator)) !== 'float32' || on === null || off === null) {
    throw new ImportError('unsupported-model', 'ONE_HOT of other than float constants')
  }
  const result = graph.define(output(operator), 'native')
  const pair = Float32Array.of(Number(off[0]), Number(on[0]))
  const wide = graph.compute('Cast', [graph.value(input(operator, 0))], result, {
    to: ['int', DATA_TYPES.int64.code],
  })
  graph.node(
    'OneHot',
    [
      wide,
      graph.scalar(`${result}/depth`, 'int64', depth),
      graph.constantValue(`${result}/values`, 'float32', [2], pair),
    ],
    [result],
    { axis: ['int', option(operator, 'axis', -1)] },
  )
}

/** Into zeros; what several updates write to one place adds up. */
const scatterNd: Lowering = (operator, graph) => {
  const shape = needed(operator, graph, 2, 'shape')
  const result = graph.define(output(operator), 'native')
  const zeros = graph.compute('ConstantOfShape', [graph.int64s(`${result}/sizes`, shape)], result)
  const wide = graph.compute('Cast', [graph.value(input(operator, 0))], result, {
    to: ['int', DATA_TYPES.int64.code],
  })
  graph.node('ScatterND', [zeros, wide, graph.value(input(operator, 1))], [result], {
    reduction: ['string', 'add'],
  })
}

const fill: Lowering = (operator, graph) => {
  const result = graph.define(output(operator), 'native')
  const shape = graph.int64s(`${result}/shape`, needed(operator, graph, 0, 'shape'))
  graph.node('Expand', [graph.value(input(operator, 1)), shape], [result])
}

const shapeOf: Lowering = (operator, graph) => {
  const result = graph.define(output(operator), 'native')
  const sizes = graph.compute('Shape', [graph.value(input(operator, 0))], result)
  const to = DATA_TYPES[graph.typeOf(output(operator))].code
  graph.node('Cast', [sizes], [result], { to: ['int', to] })
}

export const REARRANGEMENTS: Readonly<Record<string, Lowering>> = {
  REVERSE_V2: reverse,
  SPACE_TO_BATCH_ND: spaceToBatch,
  BATCH_TO_SPACE_ND: batchToSpace,
  TOPK_V2: topK,
  ONE_HOT: oneHot,
  SCATTER_ND: scatterNd,
  FILL: fill,
  SHAPE: shapeOf,
}
