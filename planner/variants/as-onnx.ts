import { AppError } from '../../shared/errors.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import { convertModel } from '../formats/index.ts'
import { opsetOf, readOnnx } from '../formats/onnx/index.ts'
import type { ModelFacts } from './facts.ts'
import { onnxFactsOf } from './facts-of-graph.ts'
import { readGraph } from './read-graph.ts'

/** What ONNX Runtime could do with the source. One that cannot become .onnx is told why, and goes on without. */
export async function asOnnx(
  source: Uint8Array,
  format: ModelFormat,
  fileName: string,
): Promise<ModelFacts['onnx']> {
  try {
    const { bytes } = await convertModel(source, format, 'onnx', fileName)
    const graph = await readGraph(bytes, 'onnx', fileName)
    return onnxFactsOf(graph, opsetOf(readOnnx(bytes, fileName)))
  } catch (error) {
    if (!(error instanceof AppError) || format === 'onnx') throw error
    return { obstacle: error.message }
  }
}
