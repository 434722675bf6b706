import type { Koffi, Pointer } from '../native/ffi.ts'
import type { Delegation } from '../runtime.ts'
import { operatorKind } from './operator-kinds.ts'

/** Offsets in `TfLiteDelegate`, `TfLiteContext` and `TfLiteRegistration` (tensorflow/lite/c/common.h, 64 bits). */
const DELEGATE = { prepare: 8 }
const CONTEXT = { getExecutionPlan: 8, getNodeAndRegistration: 56 }
const REGISTRATION = { builtinCode: 40, customName: 48 }
/** `kTfLiteBuiltinDelegate` */
const DELEGATE_CODE = 51

interface Plan {
  /** The model's own, with their kinds. */
  readonly operators: ReadonlyMap<number, string>
  /** What delegates made of others. */
  readonly pieces: ReadonlySet<number>
}

/**
 * Stands before a delegate's `Prepare` and reads the execution plan before and after it: nodes that are gone were
 * taken, nodes that are new are the pieces they became. Called again whenever the runtime prepares the delegate anew.
 */
export class DelegationCount {
  readonly #koffi: Koffi
  readonly #name: string
  readonly #callback: Pointer
  #last: Delegation | undefined

  /** The delegate is patched in place; it must not be in use yet. */
  constructor(koffi: Koffi, delegate: Pointer, name: string) {
    this.#koffi = koffi
    this.#name = name
    const type = koffi.pointer(PREPARE.of(koffi))
    const original: Pointer = koffi.decode(delegate, DELEGATE.prepare, 'void*')
    const prepare = koffi.decode(original, PREPARE.of(koffi)) as (c: Pointer, d: Pointer) => number
    this.#callback = koffi.register((context: Pointer, self: Pointer) => {
      const before = this.#planOf(context)
      const status = prepare(context, self)
      if (status === 0) this.#last = this.#compare(before, this.#planOf(context))
      return status
    }, type)
    koffi.encode(delegate, DELEGATE.prepare, 'void*', this.#callback)
  }

  /** As of the last preparation; undefined where there was none. */
  get result(): Delegation | undefined {
    return this.#last
  }

  release(): void {
    this.#koffi.unregister(this.#callback)
  }

  #compare(before: Plan, after: Plan): Delegation {
    const left: Record<string, number> = {}
    for (const kind of after.operators.values()) left[kind] = (left[kind] ?? 0) + 1
    return {
      path: this.#name,
      total: before.operators.size,
      taken: before.operators.size - after.operators.size,
      partitions: [...after.pieces].filter((node) => !before.pieces.has(node)).length,
      left,
    }
  }

  #planOf(context: Pointer): Plan {
    const koffi = this.#koffi
    const getPlan = koffi.decode(
      koffi.decode(context, CONTEXT.getExecutionPlan, 'void*'),
      PLAN.of(koffi),
    )
    const out: (Pointer | null)[] = [null]
    getPlan(context, out)
    // `TfLiteIntArray`: how many, then the numbers.
    const array = out[0] as Pointer
    const size = koffi.decode(array, 'int32_t') as number
    const nodes = size === 0 ? [] : (koffi.decode(array, 4, 'int32_t', size) as Iterable<number>)
    const kinds = new Map<number, string>()
    const pieces = new Set<number>()
    for (const node of nodes) {
      const kind = this.#kindOf(context, node)
      if (kind === null) pieces.add(node)
      else kinds.set(node, kind)
    }
    return { operators: kinds, pieces }
  }

  /** Null for a piece that a delegate computes. */
  #kindOf(context: Pointer, node: number): string | null {
    const koffi = this.#koffi
    const get = koffi.decode(
      koffi.decode(context, CONTEXT.getNodeAndRegistration, 'void*'),
      NODE.of(koffi),
    )
    const nodeOut: (Pointer | null)[] = [null]
    const registration: (Pointer | null)[] = [null]
    get(context, node, nodeOut, registration)
    const row = registration[0] as Pointer
    const code = koffi.decode(row, REGISTRATION.builtinCode, 'int32_t') as number
    if (code === DELEGATE_CODE) return null
    const name = koffi.decode(row, REGISTRATION.customName, 'void*') as Pointer | null
    const custom = name ? String(koffi.decode(row, REGISTRATION.customName, 'const char*')) : null
    return operatorKind(code, custom)
  }
}

/** A function type is named once in a process. */
class FunctionType {
  readonly #text: string
  #type: ReturnType<Koffi['proto']> | undefined

  constructor(text: string) {
    this.#text = text
  }

  of(koffi: Koffi) {
    this.#type ??= koffi.proto(this.#text)
    return this.#type
  }
}

const PREPARE = new FunctionType('int FitmentPrepare(void* context, void* delegate)')
const PLAN = new FunctionType('int FitmentGetExecutionPlan(void* context, _Out_ void** plan)')
const NODE = new FunctionType(
  'int FitmentGetNode(void* context, int node, _Out_ void** at, _Out_ void** registration)',
)
