import { RuntimeError } from '../errors.ts'
import { NativeLibrary } from '../native/ffi.ts'
import { libraryVersion } from '../native/library-version.ts'
import type { LoadOptions, Runtime, Session } from '../runtime.ts'
import { ClassicApi } from './classic-api.ts'
import { ClassicSession } from './classic-session.ts'
import { LitertApi } from './litert-api.ts'
import { LitertSession } from './litert-session.ts'

/**
 * TensorFlow Lite's C API or LiteRT's in this process, whichever the library has; where it has both, TensorFlow
 * Lite's, as that one takes delegates. @throws RuntimeError `library-unusable`, `runtime-missing`
 */
export async function openTflite(path: string): Promise<Runtime> {
  const library = await NativeLibrary.open(path)
  if (library.has('TfLiteInterpreterCreate')) return classic(new ClassicApi(library))
  if (library.has('LiteRtCreateCompiledModel')) return litert(new LitertApi(library))
  throw new RuntimeError(
    'library-unusable',
    `${path} has neither TensorFlow Lite's C API nor LiteRT's: name libtensorflowlite_c.so or libLiteRt.so`,
    { path },
  )
}

function classic(api: ClassicApi): Runtime {
  return {
    name: 'tflite',
    version: api.version,
    library: api.library.facts,
    load: (bytes: Uint8Array, options: LoadOptions = {}): Promise<Session> =>
      ClassicSession.open(api, bytes, options),
  }
}

function litert(api: LitertApi): Runtime {
  return {
    name: 'tflite',
    version: libraryVersion(api.library.facts, 'ai_edge_litert'),
    library: api.library.facts,
    load: async (bytes: Uint8Array, options: LoadOptions = {}): Promise<Session> =>
      new LitertSession(api, bytes, options),
  }
}
