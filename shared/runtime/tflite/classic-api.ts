import { isAtLeast } from '../../releases.ts'
import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import type { Functions, Koffi, NativeLibrary, Pointer } from '../native/ffi.ts'
import { CLASSIC } from './classic-functions.ts'

/** The first release whose C API has all that is called here, and XNNPACK for integers. */
const OLDEST = '2.9'

/** A library with TensorFlow Lite's C API, and what it last complained of. */
export class ClassicApi {
  readonly library: NativeLibrary
  readonly koffi: Koffi
  readonly call: Functions<keyof typeof CLASSIC>
  readonly version: string
  /** For `setReporter`; lives as long as the process. */
  readonly reporter: Pointer
  readonly #complaints: string[] = []

  /** @throws RuntimeError `library-unusable` */
  constructor(library: NativeLibrary) {
    this.library = library
    this.koffi = library.koffi
    this.call = library.functions(CLASSIC)
    this.version = String(this.call.version())
    if (!isAtLeast(this.version, OLDEST))
      throw new RuntimeError(
        'library-unusable',
        `${library.facts.path} is TensorFlow Lite ${this.version}: ${OLDEST} or newer is needed`,
        { path: library.facts.path, version: this.version },
      )
    this.reporter = this.#register()
  }

  /** Runs calls, and puts what the library said about a failure into words of one line. */
  attempt<T>(code: RuntimeErrorCode, what: string, calls: () => T | undefined): T {
    this.#complaints.length = 0
    const result = calls()
    return result ?? this.refuse(code, what)
  }

  /** What the library has just refused, in its words. @throws RuntimeError */
  refuse(code: RuntimeErrorCode, what: string): never {
    // The first is the cause; what follows says that something failed.
    const why = this.#complaints.find((line) => line !== '') ?? 'it does not say why'
    throw new RuntimeError(code, `${what}: ${why}`)
  }

  /** A status of the library; anything but 0 is a failure. */
  ok(status: number): true | undefined {
    return status === 0 ? true : undefined
  }

  /**
   * The library formats nothing itself: it hands over a format and a va_list, which both ABIs in question (System V on
   * x86-64, AAPCS64) pass as a pointer, so that libc's vsnprintf takes it as it comes.
   */
  #register(): Pointer {
    const { koffi } = this
    const print = koffi
      .load(null)
      .func('int vsnprintf(_Out_ uint8_t* to, size_t size, const char* format, void* arguments)')
    const text = Buffer.alloc(1024)
    const report = koffi.proto('void (void* data, const char* format, void* arguments)')
    return koffi.register((_data: unknown, format: string, values: unknown) => {
      const length = print(text, text.length, format, values)
      this.#complaints.push(text.toString('utf8', 0, Math.min(length, text.length - 1)).trim())
    }, koffi.pointer(report))
  }
}
