import { basename } from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import type { ModelFile } from './model-file.ts'

/** What would come of the model in the other format. */
export interface OtherFormat {
  readonly format: 'tflite' | 'onnx'
  /** Operators of the converted model; null where it cannot be. */
  readonly operators: number | null
  /** Why it cannot be, naming every operator in the way; null where it can. */
  readonly obstacle: string | null
}

/** Converts, and proves nothing: what an operator's row says of it is known beforehand. */
export async function otherFormatOf(file: ModelFile): Promise<OtherFormat> {
  const format = file.format === 'onnx' ? 'tflite' : 'onnx'
  try {
    return { format, operators: await COUNTERS[format](file), obstacle: null }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { format, operators: null, obstacle: error.message }
  }
}

const COUNTERS: Record<OtherFormat['format'], (file: ModelFile) => Promise<number>> = {
  // Parsers of the other format, for those alone who need them.
  tflite: async ({ path, bytes }) => {
    const { importOnnx } = await import('../../formats/tflite/import/index.ts')
    const { model } = await importOnnx(bytes, basename(path))
    return model.subgraphs.reduce((sum, { operators }) => sum + operators.length, 0)
  },
  onnx: async ({ path, bytes }) => {
    const { importTflite } = await import('../../formats/onnx/import/index.ts')
    const { readTflite } = await import('../../formats/tflite/index.ts')
    return importTflite(readTflite(bytes, basename(path))).model.graph?.node.length ?? 0
  },
}

export function printOtherFormat({ format, operators, obstacle }: OtherFormat): string {
  return obstacle === null
    ? `as .${format} it has ${operators} operators (fitment convert proves and writes it)`
    : `as .${format}: ${obstacle}`
}
