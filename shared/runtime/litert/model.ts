import { invariant } from '../../errors.ts'
import { ARRAY_OF, type ElementType, sizeOf, type Tensor } from '../../tensors.ts'
import type { RuntimeErrorCode } from '../errors.ts'
import { RuntimeError } from '../errors.ts'
import { orderedInputs, shapesText } from '../input-check.ts'
import type { TensorInfo } from '../runtime.ts'
import { type ModelIo, setInputShapes } from '../tflite-file/model-io.ts'
import type { Environment, LitertModule } from './bindings.ts'
import { type CompiledModel, type Model, shapeOf, type TensorBuffer } from './bindings.ts'

/** A model compiled for one set of input shapes, with its input buffers. */
interface Compiled {
  readonly shapes: string
  readonly address: number
  readonly model: Model
  readonly compiled: CompiledModel
  readonly inputs: readonly TensorBuffer[]
}

/** What a model needs of the wasm instance that it is in. */
export interface ModelEngine {
  readonly module: LitertModule
  readonly environment: Environment
  readonly threadsArgument: number
  guarded<T>(code: RuntimeErrorCode, what: string, calls: () => T): T
}

/** A model on an engine. Open dimensions are compiled for as they come; the last shapes stay compiled. */
export class LitertModel {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly #engine: ModelEngine
  readonly #bytes: Uint8Array | undefined
  #current: Compiled | undefined
  #results: readonly TensorBuffer[] = []
  #closed = false

  constructor(engine: ModelEngine, bytes: Uint8Array, io: ModelIo) {
    this.#engine = engine
    this.inputs = io.inputs
    this.outputs = io.outputs
    const open = io.inputs.some((input) => input.shape.some((dim) => dim < 0))
    this.#bytes = open ? bytes : undefined
    // Also where dimensions are open: a model that cannot be loaded must fail here.
    this.#current = this.#compile(bytes, open ? '' : shapesText(io.inputs))
  }

  /** Every operator went to XNNPACK; false also for int8 models with one operator that it lacks. */
  get fullyDelegated(): boolean {
    return this.#current?.compiled.isFullyAccelerated() ?? false
  }

  /**
   * Inputs by name; outputs in the model's order, as views of the wasm heap: valid until the next call of
   * `run`, `load` or `close` on this engine.
   * @throws RuntimeError `wrong-input`, `run-failed`
   */
  run(inputs: Readonly<Record<string, Tensor>>): Tensor[] {
    invariant(!this.#closed, 'a closed model is not run')
    const given = orderedInputs(this.inputs, inputs)
    const compiled = this.#compiledFor(given)
    return this.#engine.guarded('run-failed', 'LiteRT cannot run this model', () => {
      this.#freeResults()
      given.forEach((tensor, i) => {
        this.#write(compiled.inputs[i], tensor)
      })
      this.#results = compiled.compiled.run(0, compiled.inputs)
      return this.outputs.map((info, i) => this.#view(info.type, this.#results[i]))
    })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#freeResults()
    this.#release()
  }

  #compiledFor(given: readonly Tensor[]): Compiled {
    const shapes = shapesText(given)
    if (this.#current?.shapes === shapes) return this.#current
    invariant(this.#bytes !== undefined, 'only open dimensions change their size')
    this.#freeResults()
    this.#release()
    this.#current = this.#compile(this.#bytes, shapes, given)
    return this.#current
  }

  /** @param given whose shapes the copy of the file in the wasm heap is to have */
  #compile(bytes: Uint8Array, shapes: string, given?: readonly Tensor[]): Compiled {
    const { module, environment, threadsArgument } = this.#engine
    return this.#engine.guarded('not-loadable', 'LiteRT cannot load this model', () => {
      const address = module._malloc(bytes.byteLength)
      if (address === 0)
        throw new RuntimeError('out-of-memory', `no memory for ${bytes.byteLength} bytes of model`)
      module.HEAPU8.set(bytes, address)
      const undo: (() => void)[] = [() => module._free(address)]
      try {
        if (given !== undefined) {
          const placed = module.HEAPU8.subarray(address, address + bytes.byteLength)
          setInputShapes(
            placed,
            given.map(({ shape }) => shape),
          )
        }
        const model = module.loadModel(environment, address, bytes.byteLength)
        undo.push(() => model.delete())
        const cpuOptions = { numThreads: threadsArgument }
        const options = { accelerator: 'wasm', cpuOptions } as const
        const compiled = module.compileModel(environment, model, options)
        undo.push(() => compiled.delete())
        const inputs = shapes === '' ? [] : this.inputs.map((_, i) => this.#buffer(model, i))
        return { shapes, address, model, compiled, inputs }
      } catch (error) {
        for (const step of undo.reverse()) step()
        throw error
      }
    })
  }

  #buffer(model: Model, index: number): TensorBuffer {
    const { module, environment } = this.#engine
    const type = model.getInputTensorType(0, index)
    const kind = module.LiteRtTensorBufferType.HOST_MEMORY
    const buffer = module.LiteRtTensorBuffer.createManaged(environment, kind, type, type.bytes())
    type.delete()
    return buffer
  }

  #write(buffer: TensorBuffer | undefined, { data }: Tensor): void {
    invariant(buffer !== undefined, 'every input has a buffer')
    const { module } = this.#engine
    const address = buffer.lock(module.LiteRtTensorBufferLockMode.WRITE)
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    module.HEAPU8.set(bytes, address)
    buffer.unlock()
  }

  /** The lock stays until the buffer is freed: a host buffer does not move. */
  #view(type: ElementType, buffer: TensorBuffer | undefined): Tensor {
    invariant(buffer !== undefined, 'LiteRT returns every output')
    const { module } = this.#engine
    const shape = shapeOf(buffer)
    const address = buffer.lock(module.LiteRtTensorBufferLockMode.READ)
    const data = new ARRAY_OF[type](module.HEAPU8.buffer as ArrayBuffer, address, sizeOf(shape))
    return { type, shape, data }
  }

  #freeResults(): void {
    for (const buffer of this.#results) {
      buffer.unlock()
      buffer.delete()
    }
    this.#results = []
  }

  #release(): void {
    const current = this.#current
    if (current === undefined) return
    this.#current = undefined
    for (const buffer of current.inputs) buffer.delete()
    current.compiled.delete()
    current.model.delete()
    this.#engine.module._free(current.address)
  }
}
