/**
 * The embind surface of LiteRT's wasm module that we call, below the package's own JavaScript API,
 * which knows no int8, int16, int64, bool or half tensors.
 */

interface Deletable {
  delete(): void
}

interface Vector<T> extends Deletable {
  size(): number
  get(index: number): T
}

interface EnumValue {
  readonly value: number
}

interface TensorType extends Deletable {
  elementType(): EnumValue
  layout(): Layout
  /** Packed size; throws where a dimension is open. */
  bytes(): number
}

interface Layout extends Deletable {
  dimensions(): Vector<number>
}

export interface TensorBuffer extends Deletable {
  /** Address of the elements in the wasm heap until `unlock`. */
  lock(mode: EnumValue): number
  unlock(): void
  tensorType(): TensorType
  /** Bytes allocated: at least the packed size of the tensor. */
  size(): number
}

export interface Model extends Deletable {
  getInputTensorType(signature: number, input: number): TensorType
}

export interface CompiledModel extends Deletable {
  run(signature: number, inputs: readonly TensorBuffer[]): TensorBuffer[]
  isFullyAccelerated(): boolean
}

export interface Environment extends Deletable {
  readonly brand?: 'environment'
}

export interface LitertModule {
  /** Replaced whenever the heap grows: never keep it across a call. */
  readonly HEAPU8: Uint8Array
  _malloc(bytes: number): number
  _free(address: number): void
  readonly LiteRtEnvironment: { create(webGpuDevice: null): Environment }
  loadModel(environment: Environment, address: number, bytes: number): Model
  compileModel(
    environment: Environment,
    model: Model,
    options: { accelerator: 'wasm'; cpuOptions: { numThreads: number } },
  ): CompiledModel
  readonly LiteRtTensorBuffer: {
    createManaged(
      environment: Environment,
      kind: EnumValue,
      type: TensorType,
      bytes: number,
    ): TensorBuffer
  }
  readonly LiteRtTensorBufferType: { readonly HOST_MEMORY: EnumValue }
  readonly LiteRtTensorBufferLockMode: { readonly READ: EnumValue; readonly WRITE: EnumValue }
}

export type ModuleFactory = (options: Readonly<Record<string, unknown>>) => Promise<LitertModule>

/** Copies an embind vector and frees it. */
export function vectorToArray<T>(vector: Vector<T>): T[] {
  const array: T[] = []
  for (let i = 0; i < vector.size(); i++) array.push(vector.get(i))
  vector.delete()
  return array
}

/** Shape of a live tensor buffer, as the interpreter sees it now. */
export function shapeOf(buffer: TensorBuffer): number[] {
  const type = buffer.tensorType()
  const layout = type.layout()
  const shape = vectorToArray(layout.dimensions())
  layout.delete()
  type.delete()
  return shape
}
