import { UsageError } from '../../shared/errors.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import { MODEL_FORMATS } from '../formats/index.ts'
import { readTflite, viewOf } from '../formats/tflite/index.ts'
import type { Graph } from '../graph/index.ts'

/** Field 1 (ir_version) as a varint opens every .onnx file that tools write. */
const ONNX_FIRST_BYTE = 0x08

/** Told by content: names lie. @throws UsageError */
export function formatOf(bytes: Uint8Array, fileName: string): ModelFormat {
  const identifier = Buffer.from(bytes.subarray(4, 8)).toString('latin1')
  if (identifier === 'TFL3') return 'tflite'
  if (bytes[0] === ONNX_FIRST_BYTE && bytes.length > 16) return 'onnx'
  throw new UsageError(
    `${fileName} is not a model: it begins neither as .tflite nor as .onnx; give a model file`,
    { fileName },
  )
}

/** The graph as the quantizer sees it. @throws UsageError, TfliteError, OnnxError */
export async function readGraph(
  bytes: Uint8Array,
  format: ModelFormat,
  fileName: string,
): Promise<Graph> {
  return await READERS[format](bytes, fileName)
}

const READERS: Record<
  ModelFormat,
  (bytes: Uint8Array, fileName: string) => Graph | Promise<Graph>
> = {
  tflite: (bytes, fileName) => viewOf(readTflite(bytes, fileName)),
  onnx: async (bytes) => {
    const preparation = { sources: 'keep', widenHalves: true, forIntegers: true } as const
    return (await (await MODEL_FORMATS.onnx()).open(bytes, preparation)).graph
  },
}
