import { NativeLibrary } from '../native/ffi.ts'
import type { LoadOptions, Runtime, Session } from '../runtime.ts'
import { OpenvinoApi } from './openvino-api.ts'
import { OpenvinoSession } from './openvino-session.ts'

/**
 * OpenVINO's C API in this process. It finds its plugins and readers of formats beside itself.
 * @throws RuntimeError `library-unusable`, `runtime-missing`
 */
export async function openOpenvino(path: string): Promise<Runtime> {
  const api = new OpenvinoApi(await NativeLibrary.open(path))
  return {
    name: 'openvino',
    version: api.version,
    library: api.library.facts,
    load: (bytes: Uint8Array, options: LoadOptions = {}): Promise<Session> =>
      OpenvinoSession.open(api, bytes, options),
  }
}
