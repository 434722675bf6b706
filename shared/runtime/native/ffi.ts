import type koffi from 'koffi'
import { messageOf } from '../../errors.ts'
import { RuntimeError } from '../errors.ts'
import type { LibraryFacts } from '../runtime.ts'
import { libraryFacts } from './library-file.ts'

export type Koffi = typeof koffi
/** An address in this process; koffi gives and takes bigints. */
export type Pointer = bigint

/** Optional, and for child processes only: a wrong call through it ends the process. @throws RuntimeError `runtime-missing` */
export async function loadKoffi(): Promise<Koffi> {
  try {
    return (await import('koffi')).default
  } catch (cause) {
    throw new RuntimeError(
      'runtime-missing',
      `native libraries need the package koffi, which has no build for ${process.platform} ${process.arch} here: run \`npm install koffi\`, or use litert or onnxruntime (${messageOf(cause).split('\n')[0]})`,
      {},
      { cause },
    )
  }
}

/** A type by its name in C, or as koffi made it. */
export type CType = string | ReturnType<Koffi['array']>

const declared = new Set<string>()

/** C structs by name, which a process declares once, whatever number of libraries uses them. */
export function declareStructs(
  koffi: Koffi,
  structs: Readonly<Record<string, Readonly<Record<string, CType>>>>,
): void {
  for (const [name, fields] of Object.entries(structs)) {
    if (declared.has(name)) continue
    declared.add(name)
    koffi.struct(name, { ...fields })
  }
}

/** A copy outside of JavaScript's heap, to be freed by who asked: libraries read models where they lie. */
export function copyIn(koffi: Koffi, bytes: Uint8Array): Pointer {
  const memory: Pointer = koffi.alloc('uint8_t', Math.max(1, bytes.byteLength))
  new Uint8Array(koffi.view(memory, bytes.byteLength)).set(bytes)
  return memory
}

/** Functions of a library by their C declaration; what it exports under a name. */
export class NativeLibrary {
  readonly facts: LibraryFacts
  readonly koffi: Koffi
  readonly #handle: ReturnType<Koffi['load']>

  private constructor(koffi: Koffi, handle: ReturnType<Koffi['load']>, facts: LibraryFacts) {
    this.koffi = koffi
    this.#handle = handle
    this.facts = facts
  }

  /**
   * Maps the library into this process, where it stays. Its architecture is read from its header first.
   * @throws RuntimeError `library-unusable`, `runtime-missing`
   */
  static async open(path: string): Promise<NativeLibrary> {
    const facts = await libraryFacts(path)
    const koffi = await loadKoffi()
    try {
      return new NativeLibrary(koffi, koffi.load(facts.path), facts)
    } catch (cause) {
      throw new RuntimeError(
        'library-unusable',
        `${path} cannot be loaded: ${messageOf(cause)
          .split('\n')[0]
          ?.replace(/^Failed to load shared library: /, '')}`,
        { path },
        { cause },
      )
    }
  }

  has(symbol: string): boolean {
    try {
      this.#handle.symbol(symbol)
      return true
    } catch {
      return false
    }
  }

  /**
   * By its C declaration; by its name alone where it takes nothing and returns a struct.
   * @throws RuntimeError `library-unusable` where it has no such function
   */
  // biome-ignore lint/suspicious/noExplicitAny: the declaration says what goes in and out, and only in C
  func(declaration: string, returns?: ReturnType<Koffi['struct']>): (...args: any[]) => any {
    try {
      return returns ? this.#handle.func(declaration, returns, []) : this.#handle.func(declaration)
    } catch (cause) {
      throw new RuntimeError(
        'library-unusable',
        `${this.facts.path} is too old or of another kind: ${messageOf(cause)}`,
        { path: this.facts.path },
        { cause },
      )
    }
  }

  /** Every declaration of a table, as a function under its key. */
  functions<K extends string>(table: Readonly<Record<K, string>>): Functions<K> {
    const entries = Object.entries<string>(table).map(([key, text]) => [key, this.func(text)])
    return Object.fromEntries(entries) as Functions<K>
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the declaration says what goes in and out, and only in C
export type Functions<K extends string> = Readonly<Record<K, (...args: any[]) => any>>
