import type { OnnxNode } from '../../../onnx/index.ts'
import type { TflQuantization } from '../../model.ts'
import { need } from '../errors.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import {
  cheapestLayout,
  constantInput,
  input,
  type Lowering,
  type LoweringRow,
  output,
  row,
} from '../lowering.ts'

/** Codes that both formats round and clip alike. */
const CODES: ReadonlySet<string> = new Set(['int8', 'uint8', 'int16'])

/** Scale and zero point of a whole tensor. @throws Refusal */
function parametersOf(node: OnnxNode, graph: GraphBuilder): TflQuantization {
  const [scales, zeroPoints] = [1, 2].map((at) => graph.source.constant(input(node, at))?.data)
  const zeroPoint = Number(zeroPoints?.[0] ?? 0)
  need(
    zeroPoint === 0 || !(zeroPoints instanceof Int16Array),
    'kernels of 16 bits know no zero point: quantize activations symmetrically',
  )
  need(scales?.length === 1, 'its scales are one for each channel of computed values')
  return {
    min: null,
    max: null,
    scale: Float32Array.of(Number(scales[0])),
    zeroPoint: BigInt64Array.of(BigInt(zeroPoint)),
    quantizedDimension: 0,
    details: null,
  }
}

const quantize: Lowering = (node, graph) => {
  const name = input(node, 0)
  const type = graph.source.typeOf(output(node))
  need(CODES.has(type), `no kernel quantizes to ${type}`)
  const layout = cheapestLayout(graph, [name], graph.shapeOf(name).length)
  const from = graph.value(name, layout)
  const shape = from.fields.shape as number[]
  const codes = graph.compute('QUANTIZE', [from], shape, {}, type.toUpperCase())
  codes.fields.quantization = parametersOf(node, graph)
  graph.give(output(node), layout, codes)
}

const dequantize: Lowering = (node, graph) => {
  const name = input(node, 0)
  const type = graph.source.typeOf(name)
  need(CODES.has(type), `no kernel dequantizes ${type}`)
  const layout = cheapestLayout(graph, [name], graph.shapeOf(name).length)
  const codes = graph.value(name, layout)
  const parameters = parametersOf(node, graph)
  const own = codes.fields.quantization
  const same =
    own === null ||
    (own.scale?.[0] === parameters.scale?.[0] && own.zeroPoint?.[0] === parameters.zeroPoint?.[0])
  need(same, 'its codes were made with another scale')
  codes.fields.quantization = parameters
  const shape = codes.fields.shape as number[]
  graph.give(output(node), layout, graph.compute('DEQUANTIZE', [codes], shape, {}, 'FLOAT32'))
}

/** Values that were quantized stay so where the source has them; kernels between compute in float, with the same numbers. */
export const QUANTIZATION: Readonly<Record<string, LoweringRow>> = {
  QuantizeLinear: row(quantize, constantInput(1, 'scale'), constantInput(2, 'zero point')),
  DequantizeLinear: row(dequantize, constantInput(1, 'scale'), constantInput(2, 'zero point')),
}
