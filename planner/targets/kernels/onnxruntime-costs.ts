import type { ActivationType, Graph, GraphOperator, OperatorId } from '../../graph/index.ts'
import { elementsOf, workOf } from '../../graph/index.ts'
import type { KernelCosts } from '../kernel-costs.ts'

/** What a kernel of ONNX Runtime takes, before anyone measured the model at hand. */
interface KernelRow {
  readonly applies: (operator: GraphOperator, graph: Graph) => boolean
  /** ns for a multiply-add in float, one thread. */
  readonly floatNs: number
  /** Integer kernel's time over the float one's. */
  readonly timesFloat: { readonly uint8: number; readonly int8: number }
}

/** Kernels read input channels by fours. */
const FEW_CHANNELS = 4
const NARROW = 32

/**
 * Measured with onnxruntime-node 1.30 on an AMD EPYC with VNNI over the layers of ic01, kws01, MNIST and
 * MobileNetV1-0.25. `int8` is for ARM and not measured: convolutions over few input channels take the same way round the
 * fast kernel there (MLAS, ConvSym), depthwise ones have a kernel of their own. A device's probe has the last word.
 */
const ROWS: readonly KernelRow[] = [
  {
    applies: (operator, graph) => isDepthwise(operator) && channelsOf(operator, graph) < NARROW,
    floatNs: 0.08,
    timesFloat: { uint8: 2.6, int8: 0.6 },
  },
  {
    applies: (operator) => isDepthwise(operator),
    floatNs: 0.06,
    timesFloat: { uint8: 1.4, int8: 0.6 },
  },
  {
    applies: (operator, graph) =>
      operator.kind === 'conv' && inputChannelsOf(operator, graph) < FEW_CHANNELS,
    floatNs: 0.05,
    timesFloat: { uint8: 2.3, int8: 2.3 },
  },
  {
    applies: ({ inputs }) => inputs.some(({ role }) => role === 'weight'),
    floatNs: 0.03,
    timesFloat: { uint8: 0.55, int8: 0.55 },
  },
]

/** Of calling a kernel, and of an element that is only moved. */
const CALL_US = 2
const MOVED_US = 2e-4

export function onnxruntimeCosts(graph: Graph, activations: ActivationType): KernelCosts {
  const float = new Map<OperatorId, number>()
  const integer = new Map<OperatorId, number>()
  for (const operator of graph.operators) {
    const kernel = ROWS.find(({ applies }) => applies(operator, graph))
    const moved = operator.outputs.reduce((sum, id) => sum + elementsOf(id, graph), 0) * MOVED_US
    const us = kernel === undefined ? moved : (kernel.floatNs * workOf(operator, graph)) / 1e3
    const times = kernel?.timesFloat[activations === 'uint8' ? 'uint8' : 'int8'] ?? 1
    float.set(operator.id, CALL_US + us)
    integer.set(operator.id, CALL_US + times * us)
  }
  return { float, integer, border: { us: 2 * CALL_US, usPerElement: 2 * MOVED_US } }
}

function isDepthwise({ kind }: GraphOperator): boolean {
  return kind === 'depthwise-conv'
}

function channelsOf({ inputs }: GraphOperator, graph: Graph): number {
  const weight = inputs.find(({ role }) => role === 'weight')
  const axis = weight?.channelAxis ?? -1
  return graph.tensors[weight?.tensor ?? -1]?.shape?.[axis] ?? Number.POSITIVE_INFINITY
}

function inputChannelsOf({ inputs }: GraphOperator, graph: Graph): number {
  const weight = inputs.find(({ role }) => role === 'weight')
  const axis = weight?.inputAxis ?? -1
  return graph.tensors[weight?.tensor ?? -1]?.shape?.[axis] ?? Number.POSITIVE_INFINITY
}
