import { decodeTable } from './decode.ts'
import { TfliteError } from './errors.ts'
import type { TflModel } from './model.ts'
import { Source } from './source.ts'

export const IDENTIFIER = 'TFL3'
const IDENTIFIER_AT = 4
const SMALLEST_FILE = 8

/**
 * The model in `bytes`. Buffers are views: `bytes` must stay unchanged while the model is in use.
 * @throws TfliteError naming file, place in the model tree and cause.
 */
export function readTflite(bytes: Uint8Array, fileName = 'model'): TflModel {
  const source = new Source(bytes, fileName)
  const identifier = String.fromCharCode(...bytes.subarray(IDENTIFIER_AT, SMALLEST_FILE))
  if (identifier !== IDENTIFIER) {
    throw new TfliteError(
      'not-tflite',
      { file: fileName, place: '' },
      `not a .tflite file: bytes 4 to 7 are ${JSON.stringify(identifier)}, not "${IDENTIFIER}"`,
    )
  }
  const fields = decodeTable(source, 'Model', source.target(0))
  return fields as unknown as TflModel
}
