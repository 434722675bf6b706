import { violationsOf } from '../check.ts'
import { TfliteError } from '../errors.ts'
import type { TflModel } from '../model.ts'
import { decodeTable } from './decode.ts'
import { Source } from './source.ts'

export const IDENTIFIER = 'TFL3'
const IDENTIFIER_AT = 4
const SMALLEST_FILE = 8

/**
 * The model in `bytes`. Buffers are views: `bytes` must stay unchanged while the model is in use.
 * A model that comes back breaks no rule of `checkTflite` with severity `error`.
 * @throws TfliteError naming file, place in the model tree and cause.
 */
export function readTflite(bytes: Uint8Array, fileName = 'model'): TflModel {
  const model = decodeTflite(bytes, fileName)
  const errors = violationsOf(model).filter(({ rule }) => rule.severity === 'error')
  const [first] = errors
  if (first === undefined) return model
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  throw new TfliteError(
    'corrupt',
    { file: fileName, place: first.where },
    `${first.problem}${more}: the file is damaged or was badly written`,
  )
}

/** The model as its bytes say, whether or not it makes sense. */
export function decodeTflite(bytes: Uint8Array, fileName: string): TflModel {
  const source = new Source(bytes, fileName)
  refuseOtherFormats(bytes, fileName)
  const fields = decodeTable(source, 'Model', source.target(0))
  const attachment = attachmentOf(bytes, source.extent)
  const model = attachment === null ? fields : { ...fields, attachment }
  return model as unknown as TflModel
}

function refuseOtherFormats(bytes: Uint8Array, file: string): void {
  const found = String.fromCharCode(...bytes.subarray(IDENTIFIER_AT, SMALLEST_FILE))
  if (found === IDENTIFIER) return
  const reason =
    bytes.length === 0
      ? 'the file is empty'
      : `not a .tflite file: bytes 4 to 7 are ${JSON.stringify(found)}, not "${IDENTIFIER}"`
  throw new TfliteError('not-tflite', { file, place: '' }, reason)
}

/** What follows the last byte of the model, without the zeros that align its end. */
function attachmentOf(bytes: Uint8Array, extent: number): Uint8Array | null {
  let start = extent
  while (start < bytes.length && bytes[start] === 0) start += 1
  if (start === bytes.length) return null
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start)
}
