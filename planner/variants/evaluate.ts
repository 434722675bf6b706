import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Dataset,
  formatNpz,
  pickSamples,
  readDataset,
  toArrays,
} from '../../shared/dataset/index.ts'
import {
  evaluate as measureQuality,
  type QualityRecord,
  withAnswers,
} from '../../shared/measure/index.ts'
import {
  loadInProcess,
  type OnnxruntimeLoadOptions,
  type Session,
  startQuickly,
} from '../../shared/runtime/index.ts'
import { targetOf } from '../targets/index.ts'
import { answeredOnce } from './answered-once.ts'
import type { JobInput, JobOutput, OnProgress } from './jobs.ts'
import { writeSketch } from './sketch.ts'
import { rowsOfSlice } from './slice.ts'

/** Enough to tell a broken installation from a working one in less than a second. */
const SELF_TEST_SAMPLES = 8

/** @throws RuntimeError where the variant does not load or run, DatasetError */
export async function evaluate(
  input: JobInput<'evaluate'>,
  onProgress: OnProgress,
): Promise<JobOutput<'evaluate'>> {
  startQuickly()
  const runtime = await loadInProcess(targetOf(input.runtime).runsHereIn)
  // The answers stand for devices, whose form was chosen so that their sums do not overflow: this host's must not either.
  const options: OnnxruntimeLoadOptions = { wideSums: true }
  const session = await runtime.load(await readFile(input.variant), options)
  try {
    const whole = await readDataset(input.whole)
    const slice = await readDataset(input.slice)
    const once = answeredOnce(session)
    const wholeQuality = await measureQuality(once.asking, whole, {
      onProgress: (done, total) => onProgress(done, total, 'answers the test data on this host'),
    })
    const rows = rowsOfSlice(whole, slice)
    const onSlice = (samples: readonly number[]) =>
      rows === undefined ? session : once.again(samples.map((sample) => rows[sample] ?? 0))
    const selfTest = join(input.out, 'self-test.npz')
    await writeFile(selfTest, await selfTestOf(slice, onSlice))
    const sketch = join(input.out, 'sketch.json')
    const calibration = input.calibration == null ? null : await readDataset(input.calibration)
    await writeSketch(sketch, session, whole, calibration, once.again)
    return { whole: wholeQuality, slice: await sliceQuality(slice, onSlice), selfTest, sketch }
  } finally {
    await session.close()
  }
}

/** What answers these samples of a slice, in this order. */
type Answering = (samples: readonly number[]) => Session

/** Devices may answer only some of it: the same samples are taken from this. */
export function sliceQuality(slice: Dataset, answering: Answering): Promise<QualityRecord> {
  return measureQuality(answering(indices(slice.samples)), slice, { energies: true })
}

/** Inputs with this variant's own answers, as .npz bytes: a device that runs it rightly comes to the same. */
export async function selfTestOf(slice: Dataset, answering: Answering): Promise<Uint8Array> {
  const count = Math.min(SELF_TEST_SAMPLES, slice.samples)
  const chosen = indices(count).map((i) => Math.floor((i * slice.samples) / count))
  const { inputs, samples } = pickSamples(slice, chosen)
  const bare = { inputs, samples, labels: undefined, truth: new Map(), references: new Map() }
  return formatNpz(toArrays(await withAnswers(bare, answering(chosen), () => {})))
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
