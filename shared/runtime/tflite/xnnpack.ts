import { isAtLeast } from '../../releases.ts'
import type { Pointer } from '../native/ffi.ts'
import type { ClassicApi } from './classic-api.ts'
import { type CountedDelegate, counted } from './external-delegates.ts'

/** As the count calls it. */
export const XNNPACK = 'xnnpack'

/** From here on the options are returned through memory; before, they fit two registers. */
const THROUGH_MEMORY = '2.12'
/** More than any release's struct; the callee writes its own size only. */
const ROOM = 256
/** TFLITE_XNNPACK_DELEGATE_FLAG_QS8 and _QU8, which builds of old left out of the defaults. */
const INTEGERS = 3

/**
 * XNNPACK inside the library; null where it was built without. The defaults are the library's own: its struct grew
 * between releases, and a guessed layout takes no integer operators, in silence.
 */
export function createXnnpack(api: ClassicApi, threads: number): CountedDelegate | null {
  const { koffi, library } = api
  if (!library.has('TfLiteXNNPackDelegateCreate')) return null
  const create = library.func('void* TfLiteXNNPackDelegateCreate(const void* options)')
  const remove = library.func('void TfLiteXNNPackDelegateDelete(void* delegate)')
  const pointer = create(defaultsOf(api, threads)) as Pointer
  return counted(koffi, pointer, XNNPACK, () => remove(pointer))
}

function defaultsOf(api: ClassicApi, threads: number): Buffer {
  const words = isAtLeast(api.version, THROUGH_MEMORY) ? ROOM / 8 : 2
  const type = api.koffi.struct({ words: api.koffi.array('uint64_t', words, 'Array') })
  const defaults = api.library.func('TfLiteXNNPackDelegateOptionsDefault', type)
  const options = Buffer.alloc(8 * words)
  const { words: values } = defaults() as { readonly words: readonly (number | bigint)[] }
  values.forEach((value, i) => {
    options.writeBigUInt64LE(BigInt(value), 8 * i)
  })
  options.writeInt32LE(threads, 0)
  if (words === 2) options.writeUInt32LE(options.readUInt32LE(4) | INTEGERS, 4)
  return options
}
