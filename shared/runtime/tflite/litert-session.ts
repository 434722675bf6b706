import { invariant } from '../../errors.ts'
import { ARRAY_OF, type ElementType, sizeOf, type Tensor } from '../../tensors.ts'
import { RuntimeError } from '../errors.ts'
import { orderedInputs, shapesText } from '../input-check.ts'
import { copyIn, type Pointer } from '../native/ffi.ts'
import { copied, MemoryViews } from '../native/memory-views.ts'
import type { Out } from '../native/status-api.ts'
import type { LoadOptions, PartTime, Session, SessionDetails } from '../runtime.ts'
import { withCopiedOutputs } from '../tflite-file/copied-outputs.ts'
import { type ModelIo, readModelIo, withInputShapes } from '../tflite-file/model-io.ts'
import { withSettledReshapes } from '../tflite-file/settled-reshapes.ts'
import { ELEMENT_TYPES } from './element-types.ts'
import type { LitertApi } from './litert-api.ts'
import { profiled } from './litert-profile.ts'

const HOST_MEMORY = 1
const CPU = 1
const READ = 0
const WRITE = 1
const CANNOT_LOAD = 'LiteRT cannot load this model'
const CANNOT_RUN = 'LiteRT cannot run this model'

const TYPE_CODES = new Map(Object.entries(ELEMENT_TYPES).map(([code, type]) => [type, +code]))

interface TensorBuffer {
  readonly at: Pointer
  readonly type: ElementType
  readonly shape: readonly number[]
}

/** A model compiled for one set of input shapes, with a buffer for each end. */
interface Compiled {
  readonly shapes: string
  readonly model: Pointer
  readonly inputs: readonly TensorBuffer[]
  readonly outputs: readonly TensorBuffer[]
  readonly fullyAccelerated: boolean
  release(): void
}

/** LiteRT's C API behind the contract. Open dimensions are compiled for as they come; the last shapes stay compiled. */
export class LitertSession implements Session {
  readonly inputs: Session['inputs']
  readonly outputs: Session['outputs']
  readonly #api: LitertApi
  readonly #io: ModelIo
  readonly #bytes: Uint8Array
  readonly #options: LoadOptions
  readonly #views: MemoryViews
  #compiled: Compiled | undefined
  #closed = false

  /** @throws RuntimeError */
  constructor(api: LitertApi, given: Uint8Array, options: LoadOptions) {
    refuseDelegates(options)
    this.#api = api
    this.#views = new MemoryViews(api.koffi)
    const bytes = withCopiedOutputs(withSettledReshapes(given), options.signature)
    this.#io = readModelIo(bytes, options.signature)
    this.inputs = this.#io.inputs
    this.outputs = this.#io.outputs
    this.#bytes = bytes
    this.#options = options
    const open = this.inputs.some(({ shape }) => shape.some((dim) => dim < 0))
    // Also where dimensions are open: a model that cannot be loaded must fail here.
    if (open) this.#compile(bytes, undefined).release()
    else this.#compiled = this.#compile(bytes, shapesText(this.inputs))
  }

  get details(): SessionDetails {
    const fullyDelegated = this.#compiled?.fullyAccelerated
    return {
      threads: this.#threads,
      xnnpack: this.#options.xnnpack !== false,
      ...(fullyDelegated !== undefined && { fullyDelegated }),
    }
  }

  get #threads(): number {
    return this.#options.threads ?? 1
  }

  async run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    invariant(!this.#closed, 'a closed model is not run')
    const { outputs } = this.#invoke(orderedInputs(this.inputs, inputs))
    return Object.fromEntries(
      this.outputs.map(({ name }, i) => {
        const buffer = outputs[i]
        invariant(buffer !== undefined, 'every output has a buffer')
        const { type, shape } = buffer
        const copy = this.#within(buffer, READ, (memory) => memory.slice())
        return [name, { type, shape, data: new ARRAY_OF[type](copy.buffer, 0, sizeOf(shape)) }]
      }),
    )
  }

  /** @throws RuntimeError */
  prepare(inputs: Readonly<Record<string, Tensor>>): () => readonly Uint8Array[] {
    const given = orderedInputs(this.inputs, inputs)
    const copies: Uint8Array[] = this.outputs.map(() => new Uint8Array(0))
    return () => {
      invariant(!this.#closed, 'a closed model is not run')
      this.#invoke(given).outputs.forEach((buffer, i) => {
        copies[i] = this.#within(buffer, READ, (memory) => copied(memory, copies[i]))
      })
      return copies
    }
  }

  /** Loaded with `profile`. @throws RuntimeError */
  async profile(
    inputs: Readonly<Record<string, Tensor>>,
    runs: number,
  ): Promise<readonly PartTime[]> {
    const { model } = this.#compiledFor(orderedInputs(this.inputs, inputs))
    return await profiled(this.#api, model, runs, async () => {
      await this.run(inputs)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#compiled?.release()
    this.#compiled = undefined
  }

  #invoke(given: readonly Tensor[]): Compiled {
    const compiled = this.#compiledFor(given)
    const { model, inputs, outputs } = compiled
    given.forEach(({ data }, i) => {
      this.#within(inputs[i], WRITE, (memory) => {
        memory.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      })
    })
    const at = (buffers: readonly TensorBuffer[]) => buffers.map((buffer) => buffer.at)
    this.#api.ok(
      'run-failed',
      CANNOT_RUN,
      this.#api.call.run(
        model,
        this.#io.signature,
        inputs.length,
        at(inputs),
        outputs.length,
        at(outputs),
      ),
    )
    return compiled
  }

  #compiledFor(given: readonly Tensor[]): Compiled {
    const shapes = shapesText(given)
    if (this.#compiled?.shapes === shapes) return this.#compiled
    this.#compiled?.release()
    const shaped = withInputShapes(
      this.#bytes,
      given.map((tensor) => tensor.shape),
      this.#options.signature,
    )
    this.#compiled = this.#compile(shaped, shapes)
    return this.#compiled
  }

  #compile(bytes: Uint8Array, shapes: string | undefined): Compiled {
    const { koffi, call } = this.#api
    const api = this.#api
    const undo: (() => void)[] = []
    const release = () => {
      for (const step of undo.splice(0).reverse()) step()
    }
    const made = (calls: (out: Out) => number, remove: (at: Pointer) => void) => {
      const at = api.made('not-loadable', CANNOT_LOAD, calls)
      undo.push(() => remove(at))
      return at
    }
    try {
      const memory = copyIn(koffi, bytes)
      undo.push(() => koffi.free(memory))
      const environment = made(
        (out) => call.createEnvironment(0, null, out),
        call.destroyEnvironment,
      )
      const model = made(
        (out) => api.modelFrom(environment, memory, bytes.byteLength, out),
        call.destroyModel,
      )
      const options = made((out) => call.createOptions(out), call.destroyOptions)
      this.#configure(options)
      const compiled = made(
        (out) => call.createCompiled(environment, model, options, out),
        call.destroyCompiled,
      )
      const full = [false]
      call.isFullyAccelerated(compiled, full)
      if (shapes === undefined)
        return {
          shapes: '',
          model: compiled,
          inputs: [],
          outputs: [],
          fullyAccelerated: full[0] === true,
          release,
        }
      const buffer = (type: ElementType, shape: readonly number[]): TensorBuffer => ({
        type,
        shape,
        at: made((out) => this.#createBuffer(environment, type, shape, out), call.destroyBuffer),
      })
      const inputs = this.inputs.map(({ type }, i) => buffer(type, this.#inputShape(compiled, i)))
      const sizes = this.#outputShapes(compiled)
      const outputs = this.outputs.map(({ type }, i) => buffer(type, sizes[i] ?? []))
      return {
        shapes,
        model: compiled,
        inputs,
        outputs,
        fullyAccelerated: full[0] === true,
        release,
      }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Typed setters are not exported: options are TOML under a name (litert/c/options). */
  #configure(options: Pointer): void {
    const { call } = this.#api
    this.#api.ok('not-loadable', CANNOT_LOAD, call.setAccelerators(options, CPU))
    const kernels = this.#options.xnnpack === false ? 'kernel_mode = "builtin"\n' : ''
    this.#addOptions(options, 'xnnpack', `num_threads = ${this.#threads}\n${kernels}`)
    if (this.#options.profile === true)
      this.#addOptions(options, 'runtime_options_string', 'enable_profiling = true\n')
  }

  #addOptions(options: Pointer, id: string, toml: string): void {
    const { call, koffi } = this.#api
    const text = new TextEncoder().encode(`${toml}\0`)
    const libc = koffi.load(null)
    const malloc = libc.func('void* malloc(size_t bytes)')
    const payload = malloc(text.length) as Pointer
    new Uint8Array(koffi.view(payload, text.length)).set(text)
    const opaque = this.#api.made('not-loadable', CANNOT_LOAD, (out) =>
      call.createOpaque(id, payload, libc.symbol('free'), out),
    )
    this.#api.ok('not-loadable', CANNOT_LOAD, call.addOpaque(options, opaque))
  }

  #createBuffer(
    environment: Pointer,
    type: ElementType,
    shape: readonly number[],
    out: Out,
  ): number {
    const padded = [...shape, ...new Array<number>(8 - shape.length).fill(0)]
    const ranked = {
      elementType: TYPE_CODES.get(type),
      layout: { bits: shape.length, dimensions: padded, strides: new Array<number>(8).fill(0) },
    }
    const bytes = sizeOf(shape) * ARRAY_OF[type].BYTES_PER_ELEMENT
    return this.#api.call.createBuffer(environment, HOST_MEMORY, ranked, bytes, out)
  }

  /** From what was compiled: a signature's own tensors may still be open. */
  #inputShape(compiled: Pointer, index: number): number[] {
    const layout = {} as Layout
    const { call } = this.#api
    this.#api.ok(
      'not-loadable',
      CANNOT_LOAD,
      call.inputLayout(compiled, this.#io.signature, index, layout),
    )
    return shapeOf(layout)
  }

  #outputShapes(compiled: Pointer): number[][] {
    const { call, koffi } = this.#api
    const count = this.outputs.length
    const bytes = koffi.sizeof('LiteRtLayout')
    const memory = koffi.alloc('LiteRtLayout', Math.max(1, count)) as Pointer
    try {
      const status = call.outputLayouts(compiled, this.#io.signature, count, memory, true)
      this.#api.ok('not-loadable', CANNOT_LOAD, status)
      return Array.from({ length: count }, (_, i) =>
        shapeOf(koffi.decode(memory, i * bytes, 'LiteRtLayout') as Layout),
      )
    } finally {
      koffi.free(memory)
    }
  }

  #within<T>(buffer: TensorBuffer | undefined, mode: number, use: (memory: Uint8Array) => T): T {
    invariant(buffer !== undefined, 'every end has a buffer')
    const { call } = this.#api
    const at = this.#api.made('run-failed', CANNOT_RUN, (out) => call.lock(buffer.at, out, mode))
    try {
      const bytes = sizeOf(buffer.shape) * ARRAY_OF[buffer.type].BYTES_PER_ELEMENT
      return use(this.#views.at(at, bytes))
    } finally {
      call.unlock(buffer.at)
    }
  }
}

interface Layout {
  readonly bits: number
  readonly dimensions: readonly number[]
}

function shapeOf({ bits, dimensions }: Layout): number[] {
  return Array.from(dimensions).slice(0, bits & 0x7f)
}

/** Accelerators of this API are LiteRT's own dispatch libraries; delegates of TensorFlow Lite are not taken by it. */
function refuseDelegates({ delegates = [] }: LoadOptions): void {
  const [first] = delegates
  if (first === undefined) return
  throw new RuntimeError(
    'delegate-failed',
    `a LiteRT library takes no delegates such as ${first.path}: name a TensorFlow Lite library with --library`,
    { path: first.path },
  )
}
