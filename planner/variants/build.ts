import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readDataset, takeSamples } from '../../shared/dataset/index.ts'
import { keptMetric } from '../../shared/metrics/index.ts'
import { parseScheme } from '../../shared/schemes.ts'
import { convertModel } from '../formats/index.ts'
import { type QuantizeOptions, QuantizerError } from '../quantizer/index.ts'
import { targetOf } from '../targets/index.ts'
import type { JobInput, JobOutput, OnProgress } from './jobs.ts'
import { optionsForRelease } from './old-release.ts'
import { quantize, slowOnIntegers } from './quantizer.ts'
import { formatOf } from './read-graph.ts'
import type { Tuning } from './tuning.ts'

/**
 * The source in the format of the runtime, then in the scheme. The quantizer loads and runs what it made before
 * it hands it over. @throws QuantizerError, DatasetError, ImportError
 */
export async function build(
  input: JobInput<'build'>,
  onProgress: OnProgress,
): Promise<JobOutput<'build'>> {
  const source = await readFile(input.source)
  const { format } = targetOf(input.runtime)
  const model = await convertModel(source, formatOf(source, input.source), format, input.source)
  const options = await optionsOf(input, model.bytes)
  const result = await quantize({
    model: model.bytes,
    target: input.runtime,
    scheme: parseScheme(input.scheme),
    ...(input.calibration !== null && { calibration: readDataset(input.calibration) }),
    options,
    onProgress,
  })
  const useless = result.findings.find(({ code }) => code === 'nothing-fused')
  if (useless !== undefined) throw new QuantizerError('nothing-fused', useless.message)
  const file = join(input.out, `model.${result.format}`)
  await writeFile(file, result.bytes)
  const findings = [...model.findings, ...result.findings]
  const answered = await answersOf(input, file, onProgress)
  const { operators, losses } = result
  return { file, findings, operators, losses: [...losses], ...(answered && { answered }) }
}

/** Here, where its runtime is loaded already: a process more costs more than the answers of a small model. */
async function answersOf(
  { data, calibration, runtime, out }: JobInput<'build'>,
  variant: string,
  onProgress: OnProgress,
): Promise<JobOutput<'evaluate'> | undefined> {
  if (data === undefined) return undefined
  const { evaluate } = await import('./evaluate.ts')
  return await evaluate({ ...data, variant, calibration, runtime, out }, onProgress).catch(
    () => undefined,
  )
}

/** More test samples than this make islands no better, only slower to find. */
const MOST_TESTED = 2_000

async function optionsOf(
  { tuned, scheme, runtime }: JobInput<'build'>,
  model: Uint8Array,
): Promise<QuantizeOptions> {
  if (tuned === undefined) return {}
  const { tuning, test } = tuned
  const held = tuning.release === undefined ? {} : optionsForRelease(tuning.release)
  return { ...held, ...(await islandsOf(tuning, test, { scheme, runtime }, model)) }
}

async function islandsOf(
  tuning: Tuning,
  test: string,
  { scheme, runtime }: Pick<JobInput<'build'>, 'scheme' | 'runtime'>,
  model: Uint8Array,
): Promise<QuantizeOptions> {
  if ('maxDrop' in tuning) {
    const data = await readDataset(test)
    const samples = takeSamples(data, Math.min(MOST_TESTED, data.samples))
    const metric = keptMetric(data.truth)
    return { budget: { maxDrop: tuning.maxDrop, test: samples, ...(metric && { metric }) } }
  }
  if (!('spare' in tuning)) return {}
  if (tuning.spare === 'saturating') return { spareSaturating: true }
  return {
    keepFloat: [await slowOnIntegers({ model, target: runtime, scheme: parseScheme(scheme) })],
  }
}
