import { axisIn } from '../layout.ts'
import { commonLayout, input, type Lowering, option, output } from '../lowering.ts'

/** Over the last native axis, wherever the layout put it. */
function alongChannels(opType: 'Softmax' | 'LogSoftmax'): Lowering {
  return (operator, graph) => {
    const data = input(operator, 0)
    const rank = graph.shapeOf(data).length
    const layout = commonLayout(graph, [data])
    const beta = option(operator, 'beta', 1)
    const result = graph.define(output(operator), layout)
    const from = graph.value(data, layout)
    const scaled =
      beta === 1
        ? from
        : graph.compute('Mul', [from, graph.scalar(`${result}/beta`, 'float32', beta)], result)
    graph.node(opType, [scaled], [result], { axis: ['int', axisIn(layout, rank - 1, rank)] })
  }
}

/** x / √max(Σx², 1e-6): the kernel's guard is on the sum of squares. */
const l2Normalization: Lowering = (operator, graph) => {
  const data = input(operator, 0)
  const rank = graph.shapeOf(data).length
  const layout = commonLayout(graph, [data])
  const result = graph.define(output(operator), layout)
  const from = graph.value(data, layout)
  const axes = graph.int64s(`${result}/axis`, [axisIn(layout, rank - 1, rank)])
  const sum = graph.compute('ReduceSum', [graph.compute('Mul', [from, from], result), axes], result)
  const guarded = graph.compute(
    'Max',
    [sum, graph.scalar(`${result}/guard`, 'float32', 1e-6)],
    result,
  )
  graph.node('Div', [from, graph.compute('Sqrt', [guarded], result)], [result])
}

/** ONNX divides its alpha by the number of neighbours. */
const localResponse: Lowering = (operator, graph) => {
  const size = 2 * option(operator, 'radius', 0) + 1
  const from = graph.value(input(operator, 0), 'channels-first')
  graph.node('LRN', [from], [graph.define(output(operator), 'channels-first')], {
    size: ['int', size],
    alpha: ['float', option(operator, 'alpha', 0) * size],
    beta: ['float', option(operator, 'beta', 0)],
    bias: ['float', option(operator, 'bias', 0)],
  })
}

export const NORMALIZATIONS: Readonly<Record<string, Lowering>> = {
  SOFTMAX: alongChannels('Softmax'),
  LOG_SOFTMAX: alongChannels('LogSoftmax'),
  L2_NORMALIZATION: l2Normalization,
  LOCAL_RESPONSE_NORMALIZATION: localResponse,
}
