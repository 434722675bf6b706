import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Dataset,
  formatNpz,
  readDataset,
  samplesFor,
  takeSamples,
  toArrays,
} from '../../shared/dataset/index.ts'
import { evaluate as measureQuality, withAnswers } from '../../shared/measure/index.ts'
import { dequantized } from '../../shared/metrics/index.ts'
import {
  loadInProcess,
  type OnnxruntimeLoadOptions,
  type Session,
  type TensorInfo,
} from '../../shared/runtime/index.ts'
import { ReferenceBuilder } from '../../shared/sketch/index.ts'
import type { Tensor } from '../../shared/tensors.ts'
import { targetOf } from '../targets/index.ts'
import type { JobInput, JobOutput, OnProgress } from './jobs.ts'

/** Enough to tell a broken installation from a working one in less than a second. */
const SELF_TEST_SAMPLES = 8
/** Of each set, spread over it: what more of them would add to a distribution of ten parts is noise of a percent. */
const MOST_SKETCHED = 2_000

/** @throws RuntimeError where the variant does not load or run, DatasetError */
export async function evaluate(
  input: JobInput<'evaluate'>,
  onProgress: OnProgress,
): Promise<JobOutput<'evaluate'>> {
  const runtime = await loadInProcess(targetOf(input.runtime).runsHereIn)
  // The answers stand for devices, whose form was chosen so that their sums do not overflow: this host's must not either.
  const options: OnnxruntimeLoadOptions = { wideSums: true }
  const session = await runtime.load(await readFile(input.variant), options)
  try {
    const whole = await readDataset(input.whole)
    const slice = await readDataset(input.slice)
    const selfTest = join(input.out, 'self-test.npz')
    await writeFile(selfTest, await selfTestOf(slice, session))
    const sketch = join(input.out, 'sketch.json')
    return {
      sketch: await sketchTo(sketch, session, [whole, ...(await inputsOnly(input.calibration))]),
      whole: await measureQuality(session, whole, {
        onProgress: (done, total) => onProgress(done, total, 'answers the test data on this host'),
      }),
      // Devices may answer only some of it: the same samples are taken from this.
      slice: await measureQuality(session, slice, { energies: true }),
      selfTest,
    }
  } finally {
    await session.close()
  }
}

/** Calibration data shows inputs; answers to them would be those of the data that ranges were chosen by. */
async function inputsOnly(path: string | null | undefined): Promise<readonly Dataset[]> {
  return path == null ? [] : [await readDataset(path)]
}

/** The first of the sets is answered too. */
async function sketchTo(
  path: string,
  session: Session,
  [test, ...others]: readonly [Dataset, ...Dataset[]],
): Promise<string> {
  const builder = new ReferenceBuilder(session.inputs, session.outputs)
  const answered = samplesFor(test, session.inputs)
  for (const sample of spreadOver(answered.count)) {
    const inputs = answered.at(sample)
    builder.add('input', realValuesOf(session.inputs, inputs))
    builder.add('output', realValuesOf(session.outputs, await session.run(inputs)))
  }
  for (const other of others) {
    const samples = samplesFor(other, session.inputs)
    for (const sample of spreadOver(samples.count))
      builder.add('input', realValuesOf(session.inputs, samples.at(sample)))
  }
  await writeFile(path, JSON.stringify(builder.finish()))
  return path
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

/** Inputs with this variant's own answers: a device that runs it rightly comes to the same. */
async function selfTestOf(
  slice: Dataset,
  session: Parameters<typeof withAnswers>[1],
): Promise<Uint8Array> {
  const { inputs, samples } = takeSamples(slice, SELF_TEST_SAMPLES)
  const bare = { inputs, samples, labels: undefined, truth: new Map(), references: new Map() }
  return formatNpz(toArrays(await withAnswers(bare, session, () => {})))
}
