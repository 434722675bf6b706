import type { GraphBuilder } from '../graph-builder.ts'
import { defineActivated, input, type Lowering, option, output } from '../lowering.ts'

const fullyConnected: Lowering = (operator, graph) => {
  const [data, weights, bias] = [input(operator, 0), input(operator, 1), input(operator, 2)]
  const depth = graph.shapeOf(weights)[1] as number
  const shape = graph.shapeOf(output(operator))
  const flat = flattened(graph, data, depth)
  const inputs = [flat, graph.value(weights)]
  if (bias >= 0) inputs.push(graph.value(bias))
  defineActivated(operator, graph, 'native', (name) => {
    const reshapes = shape.length !== 2
    const product = reshapes ? graph.fresh(`${name}/rows`) : name
    graph.node('Gemm', inputs, [product], { transB: ['int', 1] })
    if (reshapes)
      graph.node('Reshape', [product, graph.int64s(`${name}/shape`, openBatch(shape))], [name])
  })
}

/** Rows of `depth` elements, whatever the rank. */
function flattened(graph: GraphBuilder, data: number, depth: number): string {
  const from = graph.value(data)
  if (graph.shapeOf(data).length === 2 && graph.shapeOf(data)[1] === depth) return from
  return graph.compute('Reshape', [from, graph.int64s(`${from}/rows`, [-1, depth])], from)
}

/** A Reshape target: at most one open dimension, which must be the only -1. */
function openBatch(shape: readonly number[]): number[] {
  return shape.map((dim) => (dim < 0 ? -1 : dim))
}

const batchMatmul: Lowering = (operator, graph) => {
  const sides = [input(operator, 0), input(operator, 1)] as const
  const flags = [option(operator, 'adjX', false), option(operator, 'adjY', false)]
  const operands = sides.map((side, i) =>
    flags[i] ? lastTwoSwapped(graph, side) : graph.value(side),
  )
  graph.node('MatMul', operands, [graph.define(output(operator), 'native')])
}

function lastTwoSwapped(graph: GraphBuilder, tensor: number): string {
  const rank = graph.shapeOf(tensor).length
  const order = Array.from({ length: rank }, (_, axis) => axis)
  order.splice(rank - 2, 2, rank - 1, rank - 2)
  const from = graph.value(tensor)
  return graph.compute('Transpose', [from], from, { perm: ['ints', order] })
}

export const MATRICES: Readonly<Record<string, Lowering>> = {
  FULLY_CONNECTED: fullyConnected,
  BATCH_MATMUL: batchMatmul,
}
