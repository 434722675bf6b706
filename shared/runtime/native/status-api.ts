import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import type { Koffi, NativeLibrary, Pointer } from './ffi.ts'

/** Where a call puts a pointer. */
export type Out = [Pointer | null]

/** A library whose calls return a status, 0 where all is well, and put what they make where they are told. */
export abstract class StatusApi {
  readonly library: NativeLibrary
  readonly koffi: Koffi

  constructor(library: NativeLibrary) {
    this.library = library
    this.koffi = library.koffi
  }

  /** A pointer that a call makes. @throws RuntimeError */
  made(code: RuntimeErrorCode, what: string, call: (out: Out) => number): Pointer {
    const out: Out = [null]
    this.ok(code, what, call(out))
    if (out[0] === null) throw new RuntimeError(code, `${what}: nothing was made`)
    return out[0]
  }

  /** @throws RuntimeError where the call failed */
  ok(code: RuntimeErrorCode, what: string, status: number): void {
    if (status === 0) return
    throw new RuntimeError(code, `${what}: ${this.reasonOf(status)}`)
  }

  /** What a failure means, in one line. */
  protected abstract reasonOf(status: number): string
}
