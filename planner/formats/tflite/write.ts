import { Encoder } from './encode.ts'
import type { TflModel } from './model.ts'
import { IDENTIFIER } from './read.ts'

export function writeTflite(model: TflModel): Uint8Array {
  const encoder = new Encoder(1 << 20, false)
  const root = encoder.table('Model', model)
  encoder.builder.finish(root, IDENTIFIER)
  return encoder.builder.asUint8Array()
}
