import { newMessage, type OnnxGraph } from '../../../../../planner/formats/onnx/model.ts'
import { DATA_TYPES } from '../../../../../planner/formats/onnx/schema.ts'
import { type Row, type SmallOnnx, smallOnnx } from '../../onnx/small-onnx.ts'

/** A loop's body: inputs of these types and no shape, as exporters leave them. */
export function body(
  inputs: Readonly<Record<string, keyof typeof DATA_TYPES>>,
  outputs: readonly string[],
  rows: readonly Row[],
  constants: SmallOnnx['constants'] = {},
): OnnxGraph {
  const { graph } = smallOnnx({ inputs: {}, outputs, rows, constants })
  if (graph === undefined) return newMessage('GraphProto', {})
  graph.input = Object.entries(inputs).map(([name, type]) =>
    newMessage('ValueInfoProto', {
      name,
      type: {
        value: {
          case: 'tensorType',
          value: {
            elemType: DATA_TYPES[type].code,
            // Turn and condition are single numbers; of others nothing is said.
            ...(type !== 'float32' && { shape: { dim: [] } }),
          },
        },
      },
    }),
  )
  return graph
}
