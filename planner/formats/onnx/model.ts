import { create, type Message } from '@bufbuild/protobuf'
import { messageType } from './registry.ts'
import { ATTRIBUTE_TYPES, DATA_TYPES, type MessageName, type OnnxDataType } from './schema.ts'

/**
 * An .onnx file as plain protobuf messages (onnx.proto field names in camelCase). int64 fields are
 * bigint, absent scalars read as their defaults, unknown fields ride along unseen.
 */
export interface OnnxModel extends Message {
  irVersion: bigint
  producerName: string
  producerVersion: string
  graph?: OnnxGraph
  opsetImport: OnnxOpset[]
  metadataProps: OnnxEntry[]
  functions: OnnxFunction[]
}

export interface OnnxOpset extends Message {
  /** Empty for the standard operators. */
  domain: string
  version: bigint
}

export interface OnnxEntry extends Message {
  key: string
  value: string
}

export interface OnnxFunction extends Message {
  name: string
  domain: string
  overload: string
  input: string[]
  output: string[]
  attribute: string[]
  node: OnnxNode[]
  opsetImport: OnnxOpset[]
  /** Attributes with values for calls that say none. */
  attributeProto: OnnxAttribute[]
}

export interface OnnxGraph extends Message {
  name: string
  node: OnnxNode[]
  initializer: OnnxTensor[]
  sparseInitializer: OnnxSparseTensor[]
  input: OnnxValueInfo[]
  output: OnnxValueInfo[]
  valueInfo: OnnxValueInfo[]
}

export interface OnnxNode extends Message {
  name: string
  opType: string
  domain: string
  /** Which of several functions of one name. */
  overload: string
  /** Value names; empty for an absent optional input. */
  input: string[]
  output: string[]
  attribute: OnnxAttribute[]
}

export interface OnnxAttribute extends Message {
  name: string
  /** A number of ATTRIBUTE_TYPES. */
  type: number
  f: number
  i: bigint
  s: Uint8Array
  t?: OnnxTensor
  g?: OnnxGraph
  floats: number[]
  ints: bigint[]
  strings: Uint8Array[]
  tensors: OnnxTensor[]
  graphs: OnnxGraph[]
  refAttrName: string
}

export interface OnnxTensor extends Message {
  name: string
  dims: bigint[]
  /** A code of DATA_TYPES. */
  dataType: number
  rawData: Uint8Array
  floatData: number[]
  int32Data: number[]
  int64Data: bigint[]
  doubleData: number[]
  uint64Data: bigint[]
  stringData: Uint8Array[]
  externalData: OnnxEntry[]
  /** 1: the bytes stand in another file. */
  dataLocation: number
}

export interface OnnxSparseTensor extends Message {
  values?: OnnxTensor
  indices?: OnnxTensor
  dims: bigint[]
}

export interface OnnxValueInfo extends Message {
  name: string
  type?: OnnxType
}

export interface OnnxType extends Message {
  value:
    | { case: 'tensorType'; value: OnnxTensorType }
    | { case: 'sparseTensorType'; value: OnnxTensorType }
    | { case: 'sequenceType' | 'mapType' | 'optionalType' | 'opaqueType'; value: Message }
    | { case: undefined; value?: undefined }
}

export interface OnnxTensorType extends Message {
  elemType: number
  shape?: OnnxShape
}

export interface OnnxShape extends Message {
  dim: OnnxDimension[]
}

export interface OnnxDimension extends Message {
  value:
    | { case: 'dimValue'; value: bigint }
    | { case: 'dimParam'; value: string }
    | { case: undefined; value?: undefined }
}

interface MessageTypes {
  ModelProto: OnnxModel
  FunctionProto: OnnxFunction
  GraphProto: OnnxGraph
  NodeProto: OnnxNode
  AttributeProto: OnnxAttribute
  TensorProto: OnnxTensor
  ValueInfoProto: OnnxValueInfo
  OperatorSetIdProto: OnnxOpset
  StringStringEntryProto: OnnxEntry
}

type Init<T> = { [K in keyof T as K extends keyof Message ? never : K]?: unknown }

/** A new message; fields that are not given stay absent. */
export function newMessage<N extends MessageName & keyof MessageTypes>(
  name: N,
  init: Init<MessageTypes[N]>,
): MessageTypes[N] {
  return create(messageType(name), init as never) as unknown as MessageTypes[N]
}

/** With other values in some fields. Absent fields are the prototype's, which a spread would lose. */
export function copyMessage<N extends MessageName & keyof MessageTypes>(
  name: N,
  message: MessageTypes[N],
  changes: Partial<MessageTypes[N]>,
): MessageTypes[N] {
  return Object.assign(create(messageType(name)), message, changes) as unknown as MessageTypes[N]
}

/** Attribute of a node from a plain value: number → INT or FLOAT as asked, string, list, tensor. */
export function newAttribute(
  name: string,
  type: keyof typeof ATTRIBUTE_TYPES,
  value: unknown,
): OnnxAttribute {
  const [field, stored] = ATTRIBUTE_FIELDS[type](value)
  return newMessage('AttributeProto', { name, type: ATTRIBUTE_TYPES[type], [field]: stored })
}

const utf8 = new TextEncoder()
const bigints = (value: unknown) => (value as readonly (number | bigint)[]).map(BigInt)

const ATTRIBUTE_FIELDS: Record<
  keyof typeof ATTRIBUTE_TYPES,
  (value: unknown) => [field: string, stored: unknown]
> = {
  float: (value) => ['f', value],
  int: (value) => ['i', BigInt(value as number)],
  string: (value) => ['s', utf8.encode(value as string)],
  tensor: (value) => ['t', value],
  graph: (value) => ['g', value],
  floats: (value) => ['floats', value],
  ints: (value) => ['ints', bigints(value)],
  strings: (value) => ['strings', (value as string[]).map((text) => utf8.encode(text))],
  tensors: (value) => ['tensors', value],
  graphs: (value) => ['graphs', value],
  sparseTensor: (value) => ['sparseTensor', value],
  sparseTensors: (value) => ['sparseTensors', value],
  typeProto: (value) => ['tp', value],
  typeProtos: (value) => ['typeProtos', value],
}

const NAME_OF_TYPE = new Map(
  Object.entries(DATA_TYPES).map(([name, { code }]) => [code as number, name as OnnxDataType]),
)

/** `undefined` for a code that the schema we know has not. */
export function dataTypeName(code: number): OnnxDataType | undefined {
  return NAME_OF_TYPE.get(code)
}
