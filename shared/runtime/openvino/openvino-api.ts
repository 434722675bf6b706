import { ARRAY_OF, type ElementType } from '../../tensors.ts'
import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import { declareStructs, type Functions, type NativeLibrary, type Pointer } from '../native/ffi.ts'
import { MemoryViews } from '../native/memory-views.ts'
import { type Out, StatusApi } from '../native/status-api.ts'
import { type ElementTypes, elementTypes } from './element-types.ts'
import { INVALID_PARAMETER, OPENVINO, STATUSES, STRUCTS } from './functions.ts'

const SIZES = Object.fromEntries(
  Object.entries(ARRAY_OF).map(([type, array]) => [type, array.BYTES_PER_ELEMENT]),
) as Record<ElementType, number>

/** A library with OpenVINO's C API, and its core: the plugins, which stay for as long as the process. */
export class OpenvinoApi extends StatusApi {
  readonly call: Functions<keyof typeof OPENVINO>
  readonly version: string
  readonly core: Pointer
  readonly elements: ElementTypes
  readonly #views: MemoryViews

  /** @throws RuntimeError `library-unusable` */
  constructor(library: NativeLibrary) {
    super(library)
    this.#views = new MemoryViews(this.koffi)
    declareStructs(this.koffi, STRUCTS)
    this.call = library.functions(OPENVINO)
    this.version = this.#version()
    this.elements = this.#elements()
    this.core = this.made('library-unusable', `${library.facts.path} does not start`, (out) =>
      this.call.createCore(out),
    )
  }

  /** Text that a call makes; undefined where it fails. */
  text(call: (out: Out) => number): string | undefined {
    const out: Out = [null]
    return call(out) === 0 ? this.#taken(out[0]) : undefined
  }

  /** Why a call fails, in one line; undefined where it does not. */
  complaint(call: (out: Out) => number): string | undefined {
    const out: Out = [null]
    const status = call(out)
    if (status !== 0) return this.reasonOf(status)
    this.#taken(out[0])
    return undefined
  }

  devices(): readonly string[] {
    const { call, koffi, core } = this
    const list = { names: null as Pointer | null, size: 0 }
    this.ok('library-unusable', 'OpenVINO lists no devices', call.devices(core, list))
    if (list.names === null) return []
    const names = koffi.decode(list.names, koffi.array('str', Number(list.size), 'Array'))
    call.freeDevices(list)
    return names as string[]
  }

  createTensor(code: RuntimeErrorCode, type: ElementType, shape: readonly number[]): Pointer {
    const dims = shape.length === 0 ? null : BigInt64Array.from(shape, BigInt)
    return this.made(code, 'OpenVINO cannot make a tensor', (out) =>
      this.call.createTensor(this.elements.codeOf(type), { rank: shape.length, dims }, out),
    )
  }

  shapeOf(tensor: Pointer): number[] {
    const shape = { rank: 0, dims: null as Pointer | null }
    const status = this.call.tensorShape(tensor, shape)
    // 2026.4 calls the shape of a scalar an invalid parameter.
    if (status === INVALID_PARAMETER) return []
    this.ok('run-failed', 'OpenVINO tells no shape', status)
    const dims = this.numbers(shape.dims, Number(shape.rank))
    this.call.freeShape(shape)
    return dims
  }

  /** The memory of a tensor, for as long as that lives and keeps its shape. */
  memoryOf(tensor: Pointer): Uint8Array {
    const { call } = this
    const size = [0]
    this.ok('run-failed', 'OpenVINO tells no size', call.tensorBytes(tensor, size))
    const bytes = Number(size[0])
    if (bytes === 0) return new Uint8Array(0)
    const at = this.made('run-failed', 'a tensor of OpenVINO has no memory', (out) =>
      call.tensorData(tensor, out),
    )
    return this.#views.at(at, bytes)
  }

  numbers(at: Pointer | null, count: number): number[] {
    if (at === null || count === 0) return []
    const values = this.koffi.decode(at, this.koffi.array('int64_t', count, 'Array'))
    return (values as (number | bigint)[]).map(Number)
  }

  #version(): string {
    const version = { build: null as Pointer | null }
    this.ok('library-unusable', 'OpenVINO tells no version', this.call.version(version))
    const build = String(this.koffi.decode(version.build, 'char', -1))
    this.call.freeVersion(version)
    // 2026.4.1-22982-e213a147257-releases/2026/4
    return /^\d+(\.\d+)+/.exec(build)?.[0] ?? build
  }

  #elements(): ElementTypes {
    const bytesOf = (code: number) => {
      const out: Out = [null]
      if (this.call.createTensor(code, { rank: 1, dims: BigInt64Array.of(1n) }, out) !== 0) return 0
      const size = [0]
      this.call.tensorBytes(out[0], size)
      this.call.freeTensor(out[0])
      return Number(size[0])
    }
    const types = elementTypes(bytesOf, SIZES)
    if (types) return types
    throw new RuntimeError(
      'library-unusable',
      `${this.library.facts.path} is OpenVINO ${this.version}, whose element types are numbered otherwise: 2024.6 to 2026.4 are known`,
      { path: this.library.facts.path, version: this.version },
    )
  }

  #taken(text: Pointer | null): string {
    if (text === null) return ''
    const taken = String(this.koffi.decode(text, 'char', -1))
    this.call.free(text)
    return taken
  }

  protected override reasonOf(status: number): string {
    const told = status === INVALID_PARAMETER ? '' : essence(this.#taken(this.call.lastError()))
    return told || `${STATUSES[status] ?? 'failure'} (status ${status})`
  }
}

/** Exceptions tell first where they were thrown, line by line, and what for last. */
function essence(message: string): string {
  const lines = message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^Exception from \S+:\d+:$/.test(line))
  return (lines.findLast((line) => !/^(Check '|While )/.test(line)) ?? lines[0] ?? '').slice(0, 400)
}
