import { invariant } from '../../errors.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../tensors.ts'
import { RuntimeError } from '../errors.ts'
import { orderedInputs, printType, shapesText } from '../input-check.ts'
import { copyIn, type Pointer } from '../native/ffi.ts'
import { MemoryViews } from '../native/memory-views.ts'
import type { Delegation, LoadOptions, Session, SessionDetails } from '../runtime.ts'
import { type ModelIo, readModelIo } from '../tflite-file/model-io.ts'
import type { ClassicApi } from './classic-api.ts'
import { refuseTooLittle } from './delegation-rule.ts'
import { ELEMENT_TYPES } from './element-types.ts'
import { type CountedDelegate, createExternal } from './external-delegates.ts'
import { createXnnpack, XNNPACK } from './xnnpack.ts'

const CANNOT_RUN = 'TensorFlow Lite cannot run this model'

/** One interpreter of the C API. Open dimensions are resized for as they come. */
export class ClassicSession implements Session {
  readonly inputs: Session['inputs']
  readonly outputs: Session['outputs']
  readonly details: SessionDetails
  readonly #api: ClassicApi
  readonly #interpreter: Pointer
  readonly #delegates: readonly CountedDelegate[]
  readonly #undo: (() => void)[]
  readonly #views: MemoryViews
  #shapes: string
  /** How often tensors were sized anew or given up: where they lie holds until then. */
  #fits = 0

  private constructor(
    api: ClassicApi,
    io: ModelIo,
    made: {
      readonly interpreter: Pointer
      readonly delegates: readonly CountedDelegate[]
      readonly undo: (() => void)[]
    },
    details: SessionDetails,
  ) {
    this.#api = api
    this.inputs = io.inputs
    this.outputs = io.outputs
    this.#interpreter = made.interpreter
    this.#delegates = made.delegates
    this.#undo = made.undo
    this.#views = new MemoryViews(api.koffi)
    this.details = details
    this.#shapes = shapesText(io.inputs)
  }

  /** @throws RuntimeError */
  static async open(
    api: ClassicApi,
    bytes: Uint8Array,
    options: LoadOptions,
  ): Promise<ClassicSession> {
    const io = readModelIo(bytes, options.signature)
    refuseOtherSignature(io, options)
    const threads = options.threads ?? 1
    const undo: (() => void)[] = []
    try {
      const delegates: CountedDelegate[] = []
      undo.push(() => {
        for (const delegate of delegates) delegate.destroy()
      })
      for (const choice of options.delegates ?? []) delegates.push(await createExternal(choice))
      const external = delegates.length
      const xnnpack = options.xnnpack === false ? null : createXnnpack(api, threads)
      if (xnnpack) delegates.push(xnnpack)
      const interpreter = build(api, bytes, threads, delegates, undo)
      const made = { interpreter, delegates, undo }
      const session = new ClassicSession(api, io, made, { threads, xnnpack: xnnpack !== null })
      refuseTooLittle(session.delegation.slice(0, external), options.minDelegated)
      return session
    } catch (error) {
      for (const step of undo.reverse()) step()
      throw error
    }
  }

  get delegation(): readonly Delegation[] {
    // Later delegates find fewer: the model's own operators are those that the first found.
    const total = this.#delegates[0]?.result?.total ?? 0
    return this.#delegates.map(({ name, result }) => ({
      ...(result ?? { path: name, taken: 0, partitions: 0, left: {} }),
      total,
    }))
  }

  async run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    invariant(this.#undo.length > 0, 'a closed model is not run')
    const given = orderedInputs(this.inputs, inputs)
    const { call } = this.#api
    this.#fit(given)
    for (const [i, one] of given.entries())
      this.#placeFor(call.input(this.#interpreter, i), one).set(bytesOf(one.data))
    this.#invoke()
    return Object.fromEntries(
      this.outputs.map(({ name }, i) => [name, this.#read(call.output(this.#interpreter, i))]),
    )
  }

  /**
   * What is timed is what a loop in C would do: copy, invoke, copy. A model of a quarter of a millisecond empties the
   * caches, and whatever of ours runs beside it runs cold. Where inputs lie is asked once for a set of shapes.
   * @throws RuntimeError
   */
  prepare(inputs: Readonly<Record<string, Tensor>>): () => readonly Uint8Array[] {
    const given = orderedInputs(this.inputs, inputs)
    const shapes = shapesText(given)
    const { call } = this.#api
    const interpreter = this.#interpreter
    const sources = given.map(({ data }) => bytesOf(data))
    const copies: Uint8Array[] = this.outputs.map(() => new Uint8Array(0))
    let fit = -1
    let places: readonly Uint8Array[] = []
    let results: readonly Pointer[] = []
    const findPlaces = () => {
      invariant(this.#undo.length > 0, 'a closed model is not run')
      this.#fit(given)
      fit = this.#fits
      places = given.map((one, i) => this.#placeFor(call.input(interpreter, i), one))
      results = this.outputs.map((_, i) => call.output(interpreter, i))
    }
    return () => {
      if (fit !== this.#fits || this.#shapes !== shapes) findPlaces()
      for (let i = 0; i < places.length; i += 1) places[i]?.set(sources[i] as Uint8Array)
      if (call.invoke(interpreter) !== 0) this.#api.refuse('run-failed', CANNOT_RUN)
      for (let i = 0; i < results.length; i += 1) {
        const copy = copies[i] as Uint8Array
        // Refused where an output has grown or shrunk.
        if (copy.length === 0 || call.copyOut(results[i], copy, copy.length) !== 0)
          copies[i] = this.#bytesOf(results[i] as Pointer).slice()
      }
      return copies
    }
  }

  async close(): Promise<void> {
    this.#fits += 1
    for (const step of this.#undo.splice(0).reverse()) step()
  }

  #invoke(): void {
    this.#api.attempt('run-failed', CANNOT_RUN, () =>
      this.#api.ok(this.#api.call.invoke(this.#interpreter)),
    )
  }

  /** Sizes the tensors for these inputs, where the last ones had others. */
  #fit(given: readonly Tensor[]): void {
    const shapes = shapesText(given)
    if (shapes === this.#shapes) return
    const { call } = this.#api
    this.#api.attempt('run-failed', 'TensorFlow Lite cannot take these shapes', () => {
      const resized = given.every(
        ({ shape }, i) =>
          call.resizeInput(this.#interpreter, i, Int32Array.from(shape), shape.length) === 0,
      )
      return resized && call.allocate(this.#interpreter) === 0 ? true : undefined
    })
    this.#shapes = shapes
    this.#fits += 1
  }

  #placeFor(tensor: Pointer, { data, shape, type }: Tensor): Uint8Array {
    const bytes = this.#bytesOf(tensor)
    if (bytes.byteLength === data.byteLength) return bytes
    throw new RuntimeError(
      'run-failed',
      `TensorFlow Lite keeps ${bytes.byteLength} bytes for an input of ${printType({ type, shape })}`,
    )
  }

  /** A copy: memory of the interpreter must not be looked at after it is gone. */
  #read(tensor: Pointer): Tensor {
    const { call } = this.#api
    const type = ELEMENT_TYPES[call.type(tensor)]
    if (type === undefined)
      throw new RuntimeError('run-failed', `an output is of TfLiteType ${call.type(tensor)}`)
    const shape = Array.from({ length: call.rank(tensor) }, (_, i) => Number(call.dim(tensor, i)))
    const copy = this.#bytesOf(tensor).slice()
    return { type, shape, data: new ARRAY_OF[type](copy.buffer, 0, sizeOf(shape)) }
  }

  #bytesOf(tensor: Pointer): Uint8Array {
    const { call } = this.#api
    const size = Number(call.bytes(tensor))
    const at = call.data(tensor) as Pointer | null
    if (size === 0) return new Uint8Array(0)
    if (!at) throw new RuntimeError('run-failed', 'a tensor of TensorFlow Lite has no memory')
    return this.#views.at(at, size)
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Tensor['data']): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function build(
  api: ClassicApi,
  bytes: Uint8Array,
  threads: number,
  delegates: readonly CountedDelegate[],
  undo: (() => void)[],
): Pointer {
  const { call, koffi } = api
  // The interpreter reads weights where they lie for as long as it lives.
  const memory = copyIn(koffi, bytes)
  undo.push(() => koffi.free(memory))
  const cannot = 'TensorFlow Lite cannot load this model'
  const model = api.attempt(
    'not-loadable',
    cannot,
    () => call.createModel(memory, bytes.byteLength) || undefined,
  )
  undo.push(() => call.deleteModel(model))
  const options = call.createOptions()
  call.setThreads(options, threads)
  call.setReporter(options, api.reporter, null)
  const interpreter = api.attempt('not-loadable', cannot, () => {
    const made = call.createInterpreter(model, options)
    call.deleteOptions(options)
    return made || undefined
  })
  undo.push(() => call.deleteInterpreter(interpreter))
  for (const { pointer, name } of delegates) {
    // XNNPACK comes last, and refuses nothing by itself: what it stumbles over nobody has taken.
    const asked = name !== XNNPACK
    const code = asked ? 'delegate-failed' : 'not-loadable'
    const what = asked ? `the delegate ${name} cannot take this model` : cannot
    api.attempt(code, what, () => api.ok(call.modifyGraph(interpreter, pointer)))
  }
  api.attempt('not-loadable', cannot, () => api.ok(call.allocate(interpreter)))
  return interpreter
}

/** Of the C API, signatures are a later part that vendors' builds lack. */
function refuseOtherSignature(io: ModelIo, { signature }: LoadOptions): void {
  if (io.signature === 0) return
  throw new RuntimeError(
    'not-loadable',
    `TensorFlow Lite's C API runs the first signature only, not "${signature}": name a LiteRT library, or save that signature as a model`,
  )
}
