import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Dataset,
  formatNpz,
  readDataset,
  takeSamples,
  toArrays,
} from '../../shared/dataset/index.ts'
import { evaluate as measureQuality, withAnswers } from '../../shared/measure/index.ts'
import { loadInProcess, type OnnxruntimeLoadOptions } from '../../shared/runtime/index.ts'
import { targetOf } from '../targets/index.ts'
import type { JobInput, JobOutput, OnProgress } from './jobs.ts'

/** Enough to tell a broken installation from a working one in less than a second. */
const SELF_TEST_SAMPLES = 8

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
    return {
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

/** Inputs with this variant's own answers: a device that runs it rightly comes to the same. */
async function selfTestOf(
  slice: Dataset,
  session: Parameters<typeof withAnswers>[1],
): Promise<Uint8Array> {
  const { inputs, samples } = takeSamples(slice, SELF_TEST_SAMPLES)
  const bare = { inputs, samples, labels: undefined, truth: new Map(), references: new Map() }
  return formatNpz(toArrays(await withAnswers(bare, session, () => {})))
}
