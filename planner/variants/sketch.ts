import { writeFile } from 'node:fs/promises'
import { type Dataset, samplesFor } from '../../shared/dataset/index.ts'
import { dequantized } from '../../shared/metrics/index.ts'
import type { Session, TensorInfo } from '../../shared/runtime/index.ts'
import { ReferenceBuilder } from '../../shared/sketch/index.ts'
import type { Tensor } from '../../shared/tensors.ts'

/** Of each set, spread over it: what more of them would add to a distribution of ten parts is noise of a percent. */
const MOST_SKETCHED = 2_000

/**
 * Writes what observations of a model are counted by, as JSON. Calibration data shows inputs only: answers to them would
 * be those of the data that ranges were chosen by.
 * @param answering what answers these samples of `test`, in this order
 */
export async function writeSketch(
  path: string,
  { inputs, outputs }: Pick<Session, 'inputs' | 'outputs'>,
  test: Dataset,
  calibration: Dataset | null,
  answering: (samples: readonly number[]) => Session,
): Promise<void> {
  const builder = new ReferenceBuilder(inputs, outputs)
  const tested = samplesFor(test, inputs)
  const asked = spreadOver(tested.count)
  const session = answering(asked)
  for (const sample of asked) {
    const given = tested.at(sample)
    builder.add('input', realValuesOf(inputs, given))
    builder.add('output', realValuesOf(outputs, await session.run(given)))
  }
  if (calibration !== null) {
    const samples = samplesFor(calibration, inputs)
    for (const sample of spreadOver(samples.count))
      builder.add('input', realValuesOf(inputs, samples.at(sample)))
  }
  await writeFile(path, JSON.stringify(builder.finish()))
}

function spreadOver(count: number): number[] {
  const taken = Math.min(count, MOST_SKETCHED)
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken))
}

function realValuesOf(
  infos: readonly TensorInfo[],
  tensors: Readonly<Record<string, Tensor>>,
): Record<string, ArrayLike<number>> {
  return Object.fromEntries(
    infos.map((info) => [info.name, dequantized(info, tensors[info.name] as Tensor)]),
  )
}
