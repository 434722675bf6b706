import {
  type TflModel,
  type TflOperator,
  type TflTensor,
  type TflUnion,
  writeTflite,
} from '../../../planner/formats/tflite/index.ts'
import { invariant } from '../../../shared/errors.ts'
import { sizeOf } from '../../../shared/tensors.ts'

/** A small .tflite model in a few lines: tensors by name, float32 unless told otherwise. */
export interface ModelSpec {
  readonly inputs: Readonly<Record<string, TensorSpec>>
  readonly constants?: Readonly<Record<string, ConstantSpec>>
  readonly operators: readonly OperatorSpec[]
  readonly outputs: readonly string[]
  readonly signature?: string
}

export type TensorSpec =
  | readonly number[]
  | { readonly type: string; readonly shape: readonly number[] }

export interface ConstantSpec {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array | Int8Array | Uint8Array
}

export interface OperatorSpec {
  readonly code: string
  readonly version?: number
  /** '' for an absent optional input. */
  readonly inputs: readonly string[]
  /** Name → shape (and type) of each output. */
  readonly outputs: Readonly<Record<string, TensorSpec>>
  readonly options?: TflUnion
}

/** A fully connected layer without a bias. */
export function dense(input: string, weight: string, output: string, width: number): OperatorSpec {
  return {
    code: 'FULLY_CONNECTED',
    inputs: [input, weight],
    outputs: { [output]: [1, width] },
    options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT' },
  }
}

export function buildModel(...specs: readonly ModelSpec[]): TflModel {
  const model: TflModel = {
    version: 3,
    description: 'made by a test',
    operatorCodes: [],
    subgraphs: [],
    buffers: [{ data: null }],
    metadata: [],
    signatureDefs: [],
    metadataBuffer: null,
  }
  specs.forEach((spec, at) => {
    addSubgraph(model, spec, at)
  })
  return model
}

export function buildTflite(...specs: readonly ModelSpec[]): Uint8Array {
  return writeTflite(buildModel(...specs))
}

function addSubgraph(model: TflModel, spec: ModelSpec, at: number): void {
  const tensors: TflTensor[] = []
  const places = new Map<string, number>()
  const add = (name: string, given: TensorSpec, buffer = 0) => {
    places.set(name, tensors.push(tensorOf(name, given, buffer)) - 1)
  }
  for (const [name, given] of Object.entries(spec.inputs)) add(name, given)
  for (const [name, { shape, data }] of Object.entries(spec.constants ?? {})) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    add(name, { type: typeOf(data), shape }, model.buffers.push({ data: bytes }) - 1)
  }
  for (const operator of spec.operators) {
    for (const [name, given] of Object.entries(operator.outputs)) add(name, given)
  }
  const placeOf = (name: string) => {
    const place = name === '' ? -1 : places.get(name)
    invariant(place !== undefined, `the spec has a tensor "${name}"`)
    return place
  }
  model.subgraphs.push({
    name: spec.signature ?? 'main',
    tensors,
    inputs: Object.keys(spec.inputs).map(placeOf),
    outputs: spec.outputs.map(placeOf),
    operators: spec.operators.map((operator) => operatorOf(model, operator, placeOf)),
  })
  if (spec.signature === undefined) return
  const ends = (names: readonly string[]) =>
    names.map((name) => ({ name, tensorIndex: placeOf(name) }))
  model.signatureDefs.push({
    signatureKey: spec.signature,
    subgraphIndex: at,
    inputs: ends(Object.keys(spec.inputs)),
    outputs: ends(spec.outputs),
  })
}

function operatorOf(
  model: TflModel,
  { code, version = 1, inputs, outputs, options }: OperatorSpec,
  placeOf: (name: string) => number,
): TflOperator {
  return {
    opcodeIndex: model.operatorCodes.push({ builtinCode: code, customCode: null, version }) - 1,
    inputs: inputs.map(placeOf),
    outputs: Object.keys(outputs).map(placeOf),
    builtinOptions: options ?? null,
    builtinOptions2: null,
    customOptions: null,
    intermediates: null,
  }
}

function tensorOf(name: string, given: TensorSpec, buffer: number): TflTensor {
  const { type, shape } = 'type' in given ? given : { type: 'FLOAT32', shape: given }
  const open = shape.some((dim) => dim < 0)
  return {
    name,
    type,
    shape: shape.map((dim) => Math.abs(dim)),
    shapeSignature: open ? [...shape] : null,
    buffer,
    isVariable: false,
    quantization: null,
    sparsity: null,
  }
}

function typeOf(data: ConstantSpec['data']): string {
  if (data instanceof Float32Array) return 'FLOAT32'
  if (data instanceof Int32Array) return 'INT32'
  // Bytes are truth values here: masks of SELECT.
  return data instanceof Int8Array ? 'INT8' : 'BOOL'
}

/** Numbers in [low, high) that are the same in every run. */
export function numbers(shape: readonly number[], low = -1, high = 1, seed = 1) {
  let state = seed
  return Float32Array.from({ length: sizeOf(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return low + ((high - low) * state) / 2 ** 32
  })
}

export function constant(shape: readonly number[], low = -1, high = 1, seed = 1): ConstantSpec {
  return { shape, data: numbers(shape, low, high, seed) }
}

export function integers(...data: readonly number[]): ConstantSpec {
  return { shape: [data.length], data: Int32Array.from(data) }
}
