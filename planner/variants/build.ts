import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readDataset } from '../../shared/dataset/index.ts'
import { parseScheme } from '../../shared/schemes.ts'
import { quantize } from '../quantizer/index.ts'
import type { JobInput, JobOutput, OnProgress } from './jobs.ts'
import { formatOf } from './read-graph.ts'

/** The quantizer loads and runs what it made before it hands it over. @throws QuantizerError, DatasetError */
export async function build(
  input: JobInput<'build'>,
  onProgress: OnProgress,
): Promise<JobOutput<'build'>> {
  const model = await readFile(input.source)
  const calibration = input.calibration === null ? undefined : await readDataset(input.calibration)
  const result = await quantize({
    model,
    format: formatOf(model, input.source),
    scheme: parseScheme(input.scheme),
    ...(calibration ? { calibration } : {}),
    onProgress,
  })
  const file = join(input.out, `model.${result.format}`)
  await writeFile(file, result.bytes)
  return { file, findings: [...result.findings], operators: result.operators }
}
