import { fromBinary } from '@bufbuild/protobuf'
import { normaliseDomains } from './domains.ts'
import { OnnxError } from './errors.ts'
import type { OnnxModel } from './model.ts'
import { messageType } from './registry.ts'
import { segmentsOf } from './segments.ts'

/** protobuf's own bound on one message. */
const MAX_BYTES = 2 ** 31 - 1

/**
 * Bytes of an .onnx file → model. Constant data are views of `bytes`; data kept in other files stays
 * there until `loadExternalData`; the standard domain is the empty one, however the file writes it. Unknown fields are kept and written again.
 * @throws OnnxError `corrupt` or `not-a-model`, naming `fileName`
 */
export function readOnnx(bytes: Uint8Array, fileName = 'model.onnx'): OnnxModel {
  const model = decode(bytes, fileName)
  if (model.graph === undefined || model.opsetImport.length === 0) {
    const missing = model.graph === undefined ? 'graph' : 'opset_import'
    throw new OnnxError(
      'not-a-model',
      `${fileName} is no ONNX model: it has no ${missing}; give a file exported as .onnx`,
      { fileName, missing },
    )
  }
  normaliseDomains(model)
  return model
}

/** @throws OnnxError `too-large` above protobuf's 2 GiB: move constants out with `storeExternalData`. */
export function writeOnnx(model: OnnxModel): Uint8Array {
  const segments = segmentsOf(model)
  const size = segments.reduce((sum, { length }) => sum + length, 0)
  if (size > MAX_BYTES) {
    throw new OnnxError('too-large', 'the model passes 2 GiB: keep its constants in external data')
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const segment of segments) {
    bytes.set(segment, at)
    at += segment.length
  }
  return bytes
}
function decode(bytes: Uint8Array, fileName: string): OnnxModel {
  try {
    return fromBinary(messageType('ModelProto'), bytes) as unknown as OnnxModel
  } catch (cause) {
    throw new OnnxError(
      'corrupt',
      `${fileName} is corrupt or truncated (${bytes.length} bytes): export or copy it again`,
      { fileName, bytes: bytes.length },
      { cause },
    )
  }
}
