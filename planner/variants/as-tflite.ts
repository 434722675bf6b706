import { AppError } from '../../shared/errors.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import { convertProven, DEFAULT_TOLERANCE } from '../conversion/index.ts'
import type { ModelFacts } from './facts.ts'
import { tfliteFactsOf } from './facts-of-graph.ts'
import { readGraph } from './read-graph.ts'

/**
 * What runtimes of .tflite files, and accelerators behind them, could do with the source. One that cannot become .tflite,
 * or would answer otherwise there, is told why, and goes on without.
 */
export async function asTflite(
  source: Uint8Array,
  format: ModelFormat,
  fileName: string,
): Promise<ModelFacts['tflite']> {
  if (format === 'tflite') return tfliteFactsOf(await readGraph(source, format, fileName))
  try {
    const request = { bytes: source, from: format, to: 'tflite', fileName } as const
    const { bytes } = await convertProven({
      ...request,
      tolerance: DEFAULT_TOLERANCE,
      keepClosed: true,
    })
    return tfliteFactsOf(await readGraph(bytes, 'tflite', fileName))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { obstacle: error.message }
  }
}
