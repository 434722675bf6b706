import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Dataset,
  formatNpz,
  readDataset,
  samplesFor,
  toArrays,
} from '../../shared/dataset/index.ts'
import { UsageError } from '../../shared/errors.ts'
import type { Finding } from '../../shared/findings.ts'
import { evaluate, withAnswers } from '../../shared/measure/index.ts'
import { builtInMetric, KEPT, keepMetric, type Metric } from '../../shared/metrics/index.ts'
import { loadInProcess, type Session, startQuickly } from '../../shared/runtime/index.ts'
import { referenceTarget } from '../targets/index.ts'
import { answeredOnce } from './answered-once.ts'
import { asOnnx } from './as-onnx.ts'
import { asTflite } from './as-tflite.ts'
import { selfTestOf, sliceQuality } from './evaluate.ts'
import { factsOfGraph, findingsOf } from './facts-of-graph.ts'
import type { JobInput, JobOutput, OnProgress } from './jobs.ts'
import { formatOf, readGraph } from './read-graph.ts'
import { writeSketch } from './sketch.ts'
import { sliceOf } from './slice.ts'

/** @throws UsageError, TfliteError, DatasetError, RuntimeError: each names the file and what is wrong with it */
export async function prepare(
  input: JobInput<'prepare'>,
  onProgress: OnProgress,
): Promise<JobOutput<'prepare'>> {
  const bytes = await readFile(input.source)
  const format = formatOf(bytes, input.source)
  const graph = await readGraph(bytes, format, input.source)
  startQuickly()
  const runtime = await loadInProcess(referenceTarget(format))
  const session = await runtime.load(bytes)
  try {
    const { calibration, test, data } = await readData(input, session)
    const facts = factsOfGraph(graph, {
      format,
      bytes: bytes.length,
      inputs: session.inputs,
      outputs: session.outputs,
      onnx: await asOnnx(bytes, format, input.source),
      tflite: await asTflite(bytes, format, input.source),
    })
    const metric = input.metric === undefined ? null : builtInMetric(input.metric)
    const unlabelled =
      test === null && metric === null ? { ...data, labels: undefined, truth: new Map() } : data
    const judged = metric === null ? unlabelled : judgedBy(metric, unlabelled)
    const once = answeredOnce(session)
    const whole = await withAnswers(judged, once.asking, (done, total) =>
      onProgress(done, total, 'the float model answers the test data'),
    )
    const slice = sliceOf(whole)
    const onSlice = (asked: readonly number[]) =>
      once.again(asked.map((sample) => slice.rows[sample] ?? 0))
    const files = {
      whole: join(input.out, 'whole.npz'),
      slice: join(input.out, 'slice.npz'),
      selfTest: join(input.out, 'self-test.npz'),
      sketch: join(input.out, 'sketch.json'),
    }
    await writeFile(files.whole, formatNpz(toArrays(whole)))
    await writeFile(files.slice, slice.npz)
    await writeFile(files.selfTest, await selfTestOf(slice.dataset, onSlice))
    await writeSketch(files.sketch, session, whole, calibration, once.again)
    const inOrder = Array.from({ length: whole.samples }, (_, sample) => sample)
    const wholeQuality = await evaluate(once.again(inOrder), whole)
    const labelled = wholeQuality.accuracy !== null || metric !== null
    return {
      facts,
      findings: [...findingsOf(facts), ...dataFindings(test, labelled)],
      calibrationSamples: calibration?.samples ?? 0,
      testSamples: data.samples,
      labelled,
      ...files,
      wholeQuality,
      sliceQuality: await sliceQuality(slice.dataset, onSlice),
    }
  } finally {
    await session.close()
  }
}

function judgedBy(metric: Metric, data: Dataset): Dataset {
  return { ...data, truth: new Map([...data.truth, [KEPT, keepMetric(metric, data.samples)]]) }
}

/** Both sets must fit the model before anything long begins. The test set, or the calibration samples in its place. */
async function readData(
  paths: Pick<JobInput<'prepare'>, 'calibration' | 'test' | 'metric'>,
  session: Session,
): Promise<{ calibration: Dataset | null; test: Dataset | null; data: Dataset }> {
  const labels = paths.metric === undefined ? 'classes' : 'any'
  const read = async (path: string | null) => {
    if (path === null) return null
    const dataset = await readDataset(path, { labels })
    const samples = samplesFor(dataset, session.inputs)
    samples.at(0)
    return dataset
  }
  const calibration = await read(paths.calibration)
  const test = await read(paths.test)
  const data = test ?? calibration
  if (data) return { calibration, test, data }
  throw new UsageError(
    'neither calibration nor test data: nothing can be measured without samples; add --calibration F.npz',
  )
}

function dataFindings(test: Dataset | null, labelled: boolean): Finding[] {
  const instead = 'accuracy is not measured: agreement with the float model stands for it'
  if (test === null) {
    const message = `no test data, so the calibration samples serve, without labels; ${instead}`
    return [{ code: 'no-test-data', severity: 'warning', message }]
  }
  if (labelled) return oneClass(test)
  const message = `the test data has no labels "y"; ${instead}`
  return [{ code: 'no-labels', severity: 'warning', message }]
}

/** Whatever answers that one class always is right on such a set. */
function oneClass({ labels }: Dataset): Finding[] {
  const first = labels?.[0]
  if (first === undefined || labels?.some((label) => label !== first)) return []
  const message = `all samples of the test data are of class ${first}: accuracy over it says next to nothing`
  return [{ code: 'one-class', severity: 'warning', message }]
}
