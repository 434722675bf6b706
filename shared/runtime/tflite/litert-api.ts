import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import {
  declareStructs,
  type Functions,
  type Koffi,
  type NativeLibrary,
  type Pointer,
} from '../native/ffi.ts'
import { LITERT, MODEL_FROM_BUFFER, STATUSES } from './litert-functions.ts'

/** A pointer that a call fills in. */
export type Out = [Pointer | null]

/** A library with LiteRT's C API. */
export class LitertApi {
  readonly library: NativeLibrary
  readonly koffi: Koffi
  readonly call: Functions<keyof typeof LITERT>
  readonly #fromBuffer: (environment: Pointer, data: Pointer, bytes: number, out: Out) => number

  /** @throws RuntimeError `library-unusable` */
  constructor(library: NativeLibrary) {
    this.library = library
    this.koffi = library.koffi
    const { koffi } = this
    // 68 and 72 bytes: litert/c/litert_layout.h, litert_model_types.h. The rank is in the low 7 bits.
    declareStructs(koffi, {
      LiteRtLayout: {
        bits: 'uint32_t',
        dimensions: koffi.array('int32_t', 8, 'Array'),
        strides: koffi.array('uint32_t', 8, 'Array'),
      },
      LiteRtRankedTensorType: { elementType: 'int32_t', layout: 'LiteRtLayout' },
    })
    this.call = library.functions(LITERT)
    if (library.has('LiteRtCreateModelFromFd'))
      this.#fromBuffer = library.func(MODEL_FROM_BUFFER.since)
    else {
      const before = library.func(MODEL_FROM_BUFFER.before)
      this.#fromBuffer = (_, data, bytes, out) => before(data, bytes, out)
    }
  }

  /** A pointer that a call makes. @throws RuntimeError */
  made(code: RuntimeErrorCode, what: string, call: (out: Out) => number): Pointer {
    const out: Out = [null]
    this.ok(code, what, call(out))
    if (out[0] === null) throw new RuntimeError(code, `${what}: nothing was made`)
    return out[0]
  }

  ok(code: RuntimeErrorCode, what: string, status: number): void {
    if (status === 0) return
    throw new RuntimeError(code, `${what}: ${STATUSES[status] ?? 'failure'} (status ${status})`)
  }

  modelFrom(environment: Pointer, data: Pointer, bytes: number, out: Out): number {
    return this.#fromBuffer(environment, data, bytes, out)
  }
}
