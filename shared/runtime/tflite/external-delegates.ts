import { messageOf } from '../../errors.ts'
import { RuntimeError } from '../errors.ts'
import { type Koffi, NativeLibrary, type Pointer } from '../native/ffi.ts'
import type { DelegateChoice, Delegation } from '../runtime.ts'
import { DelegationCount } from './delegation-count.ts'

/** tensorflow/lite/delegates/external/external_delegate.h */
const PLUGIN = {
  create:
    'void* tflite_plugin_create_delegate(const char** keys, const char** values, size_t count, void* report)',
  destroy: 'void tflite_plugin_destroy_delegate(void* delegate)',
} as const

/** A delegate that was made and has its count; `Prepare` is not run before it is given to an interpreter. */
export interface CountedDelegate {
  readonly pointer: Pointer
  readonly name: string
  readonly result: Delegation | undefined
  destroy(): void
}

/**
 * Makes the delegate as its library does, and puts the count before it. Must not be called from within a call of the
 * runtime. @throws RuntimeError `library-unusable`, `delegate-failed`
 */
export async function createExternal(choice: DelegateChoice): Promise<CountedDelegate> {
  const library = await NativeLibrary.open(choice.path)
  if (!library.has('tflite_plugin_create_delegate'))
    throw new RuntimeError('delegate-failed', `${choice.path} ${whatItIs(library)}`, {
      path: choice.path,
    })
  const { create, destroy } = library.functions(PLUGIN)
  const words = complaints(library.koffi)
  const entries = Object.entries(choice.options)
  try {
    const pointer = create(
      entries.map(([key]) => key),
      entries.map(([, value]) => value),
      entries.length,
      words.callback,
    ) as Pointer | null
    if (!pointer)
      throw new RuntimeError(
        'delegate-failed',
        `${choice.path} made no delegate: ${words.last() ?? 'it does not say why; are its options right, and is its device there?'}`,
        { path: choice.path, options: choice.options },
      )
    return counted(library.koffi, pointer, choice.path, () => destroy(pointer))
  } finally {
    words.release()
  }
}

export function counted(
  koffi: Koffi,
  pointer: Pointer,
  name: string,
  destroy: () => void,
): CountedDelegate {
  const count = new DelegationCount(koffi, pointer, name)
  return {
    pointer,
    name,
    get result() {
      return count.result
    },
    destroy: () => {
      destroy()
      count.release()
    },
  }
}

function whatItIs(library: NativeLibrary): string {
  return library.has('TFL_TheStableDelegate')
    ? 'has the stable-delegate interface, whose operators nobody could count here: only libraries with tflite_plugin_create_delegate are taken'
    : 'is no delegate: it has no tflite_plugin_create_delegate'
}

function complaints(koffi: Koffi) {
  let last: string | undefined
  const type = koffi.pointer(koffi.proto('void (const char* message)'))
  const callback = koffi.register((message: string) => {
    last = messageOf(message).trim()
  }, type)
  return { callback, last: () => last, release: () => koffi.unregister(callback) }
}
