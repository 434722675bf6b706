import { declareStructs, type Functions, type NativeLibrary, type Pointer } from '../native/ffi.ts'
import { type Out, StatusApi } from '../native/status-api.ts'
import { LITERT, MODEL_FROM_BUFFER, STATUSES } from './litert-functions.ts'

/** A library with LiteRT's C API. */
export class LitertApi extends StatusApi {
  readonly call: Functions<keyof typeof LITERT>
  readonly #fromBuffer: (environment: Pointer, data: Pointer, bytes: number, out: Out) => number

  /** @throws RuntimeError `library-unusable` */
  constructor(library: NativeLibrary) {
    super(library)
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

  modelFrom(environment: Pointer, data: Pointer, bytes: number, out: Out): number {
    return this.#fromBuffer(environment, data, bytes, out)
  }

  protected override reasonOf(status: number): string {
    return `${STATUSES[status] ?? 'failure'} (status ${status})`
  }
}
