import { RuntimeError } from '../errors.ts'
import { NativeLibrary } from '../native/ffi.ts'
import type { Runtime } from '../runtime.ts'

/** OpenVINO's C API in this process. @throws RuntimeError `library-unusable`, `runtime-missing` */
export async function openOpenvino(path: string): Promise<Runtime> {
  const library = await NativeLibrary.open(path)
  throw new RuntimeError('library-unusable', `${library.facts.path}: not yet`)
}
