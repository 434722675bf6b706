import {
  newMessage,
  type OnnxModel,
  type OnnxTensor,
} from '../../../../planner/formats/onnx/model.ts'
import type { Attributes } from '../../../../planner/formats/onnx/prepare/graph-editor.ts'
import { GraphEditor } from '../../../../planner/formats/onnx/prepare/graph-editor.ts'
import { DATA_TYPES } from '../../../../planner/formats/onnx/schema.ts'
import { newTensor } from '../../../../planner/formats/onnx/tensor-data.ts'
import { sizeOf } from '../../../../shared/tensors.ts'
import { randomFrom } from './import/one-operator.ts'

export type Dims = readonly (number | string)[]
export type Row = readonly [
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes?: Attributes,
]

/** A model of a few nodes; constants are noise of the shape given, or the numbers given. */
export interface SmallOnnx {
  readonly opset?: number
  readonly inputs: Readonly<Record<string, Dims>>
  readonly outputs: readonly string[]
  readonly constants?: Readonly<Record<string, readonly number[] | Float32Array | BigInt64Array>>
  readonly rows: readonly Row[]
}

export function smallOnnx({
  opset = 17,
  inputs,
  outputs,
  constants = {},
  rows,
}: SmallOnnx): OnnxModel {
  const graph = newMessage('GraphProto', {
    name: 'small',
    input: Object.entries(inputs).map(([name, dims]) => valueInfo(name, dims)),
    output: outputs.map((name) => newMessage('ValueInfoProto', { name })),
    initializer: Object.entries(constants).map(([name, value]) => constant(name, value)),
  })
  const editor = new GraphEditor(graph)
  graph.node.push(
    ...rows.map(([type, from, to, attributes]) => editor.newNode(type, from, to, attributes)),
  )
  return newMessage('ModelProto', {
    irVersion: opset >= 13 ? 8n : 6n,
    opsetImport: [newMessage('OperatorSetIdProto', { domain: '', version: BigInt(opset) })],
    graph,
  })
}

function constant(name: string, value: readonly number[] | Float32Array | BigInt64Array) {
  if (value instanceof BigInt64Array)
    return newTensor(name, 'int64', [value.length], value as BigInt64Array<ArrayBuffer>)
  if (value instanceof Float32Array) {
    return newTensor(
      name,
      'float32',
      value.length === 1 ? [] : [value.length],
      value as Float32Array<ArrayBuffer>,
    )
  }
  const random = randomFrom(name.length + sizeOf(value))
  const noise = Float32Array.from({ length: sizeOf(value) }, () => random() * 2 - 0.8)
  return newTensor(name, 'float32', value, noise)
}

function valueInfo(name: string, dims: Dims) {
  const dim = dims.map((size) => ({
    value:
      typeof size === 'string'
        ? { case: 'dimParam', value: size }
        : { case: 'dimValue', value: BigInt(size) },
  }))
  const elemType = DATA_TYPES.float32.code
  return newMessage('ValueInfoProto', {
    name,
    type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } },
  })
}

export const int64s = (...values: number[]): BigInt64Array => BigInt64Array.from(values, BigInt)
export const numbers = (...values: number[]): Float32Array => Float32Array.from(values)

/** A constant whose elements stand in `float_data`, as older exporters write them. */
export function typedTensor(...values: number[]): OnnxTensor {
  const dims = [1n, BigInt(values.length)]
  const { code: dataType } = DATA_TYPES.float32
  return newMessage('TensorProto', { dims, dataType, floatData: values })
}
