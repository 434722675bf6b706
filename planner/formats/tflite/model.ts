import type { TableValue } from './codec/schema/schema.ts'

/**
 * A .tflite file as a plain object tree: every table of TensorFlow Lite's schema.fbs under its own
 * field names in camelCase, enums as their schema names (`FLOAT32`, `CONV_2D`, `SAME`), unions as
 * `{ type: 'Conv2DOptions', … }`. Nothing is lost on read → write → read.
 */
export interface TflModel {
  version: number
  description: string | null
  operatorCodes: TflOperatorCode[]
  subgraphs: TflSubgraph[]
  buffers: TflBuffer[]
  metadata: TflMetadata[]
  signatureDefs: TflSignatureDef[]
  metadataBuffer: number[] | null
  /** Files that hold constants of tensors with an `externalBuffer`. */
  externalBufferGroups?: { name: string | null }[] | null
  externalBuffers?: TflExternalBuffer[] | null
  /** Bytes appended behind the model, e.g. the ZIP archive of TFLite Metadata's associated files. */
  attachment?: Uint8Array | null
}

export interface TflOperatorCode {
  /** `CUSTOM` where `customCode` names the operator. */
  builtinCode: string
  customCode: string | null
  version: number
}

export interface TflSubgraph {
  name: string | null
  tensors: TflTensor[]
  /** Indices into `tensors`. */
  inputs: number[]
  outputs: number[]
  operators: TflOperator[]
  /** -1 for none. */
  debugMetadataIndex?: number
}

export interface TflTensor {
  name: string | null
  /** Schema name of the element type, e.g. `FLOAT32`, `INT8`. */
  type: string
  shape: number[] | null
  /** -1 where a dimension is dynamic. */
  shapeSignature: number[] | null
  /** Index into `buffers`; 0 is the empty buffer of tensors without constant data. */
  buffer: number
  isVariable: boolean
  quantization: TflQuantization | null
  sparsity: TableValue<'SparsityParameters'> | null
  /** Tells a scalar (`shape` [] and true) from an unknown rank. */
  hasRank?: boolean
  variantTensors?: TableValue<'VariantSubType'>[] | null
  /** Id of an entry of `TflModel.externalBuffers`; 0 for none. */
  externalBuffer?: number
}

export interface TflQuantization {
  min: Float32Array | null
  max: Float32Array | null
  scale: Float32Array | null
  zeroPoint: BigInt64Array | null
  quantizedDimension: number
  details: TflUnion | null
}

/** One member of a schema union with its fields beside the discriminant. */
export interface TflUnion {
  type: string
  [field: string]: unknown
}

export interface TflOperator {
  opcodeIndex: number
  /** Tensor indices; -1 for an absent optional input. */
  inputs: number[]
  outputs: number[]
  builtinOptions: TflUnion | null
  builtinOptions2: TflUnion | null
  customOptions: Uint8Array | null
  intermediates: number[] | null
  customOptionsFormat?: string
  /** Of the inputs, those that the operator changes. */
  mutatingVariableInputs?: boolean[] | null
  /** -1 for none. */
  debugMetadataIndex?: number
  /** As in `TflBuffer.outside`. */
  customOptionsOutside?: true
}

export interface TflBuffer {
  /** Constant bytes; `null` where the buffer has no data. Held as views of the file while unchanged. */
  data: Uint8Array | null
  /** The bytes live behind the flatbuffer (`Buffer.offset`, `Buffer.size`): models of 2 GiB and more. */
  outside?: true
}

export interface TflExternalBuffer {
  id: number
  /** Index into `externalBufferGroups`. */
  group: number
  offset: bigint
  length: bigint
  packing: string | null
}

export interface TflMetadata {
  name: string | null
  buffer: number
}

export interface TflSignatureDef {
  signatureKey: string | null
  subgraphIndex: number
  inputs: { name: string | null; tensorIndex: number }[]
  outputs: { name: string | null; tensorIndex: number }[]
  deprecatedTag?: string | null
}
