import { isDeepStrictEqual } from 'node:util'
import { decodeTflite } from '../../../../../planner/formats/tflite/codec/read.ts'
import {
  constantOf,
  readTflite,
  TfliteError,
  writeTflite,
} from '../../../../../planner/formats/tflite/index.ts'
import { randomOf } from '../random.ts'
import { realModels } from '../real-models.ts'
import { smallModel } from '../small-model.ts'
import { KitchenSink } from './kitchen-sink.ts'

/** Whole files to be damaged. */
export function wholeFiles(): { name: string; bytes: Uint8Array }[] {
  const generated = [1, 2].map((seed) => ({
    name: `kitchen sink ${seed}`,
    bytes: writeTflite(new KitchenSink(randomOf(seed)).model()),
  }))
  return [...realModels(), { name: 'small model', bytes: writeTflite(smallModel()) }, ...generated]
}

/** The error's code or `read`; anything else starts with `!`. */
export function outcomeOf(bytes: Uint8Array): string {
  try {
    const decoded = decodeTflite(bytes, 'damaged.tflite')
    const again = decodeTflite(writeTflite(decoded), 'rewritten.tflite')
    if (!isDeepStrictEqual(again, decoded)) return '! a round trip that loses'
    const model = readTflite(bytes, 'damaged.tflite')
    for (const { tensors } of model.subgraphs) {
      for (const tensor of tensors) constantOf(model, tensor)
    }
    return 'read'
  } catch (error) {
    if (!(error instanceof TfliteError)) return `! ${String(error)}`
    return error.message.includes('\n') ? '! a message of several lines' : error.code
  }
}
