import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { decimal } from '../../../shared/command-line/index.ts'
import { toArrays, writeNpz } from '../../../shared/dataset/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { modelNameSchema } from '../../../shared/ids.ts'
import { builtInMetric, METRIC_NAMES } from '../../../shared/metrics/index.ts'
import { RUNTIME_NAMES } from '../../../shared/runtime/index.ts'
import { formatBytes } from '../../../shared/units.ts'
import { connectPlanner, type ModelView, type PlannerClient } from '../../api/index.ts'
import { OBJECTIVES } from '../../selection/index.ts'
import { calibrationInput, FOLDER_OPTIONS, folderInput, readData } from '../file/data-options.ts'
import { formatOfEnding, readModelFile, readUserFile } from '../file/model-file.ts'
import { keepsConstantsElsewhere } from '../file/onnx-file.ts'
import { defineCommand } from '../program/command.ts'
import { bytesInput, dataInput, dataOption } from '../program/fleet-options.ts'
import { PROBE_OPTIONS, probeInput, probingIn } from '../program/probe-options.ts'
import { requireReadable } from '../program/read-text.ts'
import { printQuality } from './print-quality.ts'
import { metricValueInput, tagsInput } from './revision-options.ts'

export const modelsAddCommand = defineCommand({
  path: 'models add',
  summary:
    'Registers a float model with its data and limits; the same name again is its next revision.',
  arguments: [{ name: 'name', description: 'name of the model in the fleet' }],
  options: [
    dataOption,
    { flags: '--model <file>', description: 'the float .tflite or .onnx model' },
    {
      flags: '--calibration <path>',
      description: 'samples x that show the ranges of activations',
    },
    {
      flags: '--test <path>',
      description: 'samples x and labels y to measure accuracy with: .npz or folder',
    },
    {
      flags: '--metric <name>',
      description: `what to measure in the place of accuracy: ${METRIC_NAMES.join(', ')}, e.g. map,layout=yolox`,
    },
    {
      flags: '--class-names <file.txt>',
      description:
        'names of the classes, a line each: model.json beside the installed model tells them',
    },
    {
      flags: '--max-accuracy-drop <points>',
      description: 'most accuracy, or of the metric, that may be lost against float32',
      default: '1',
    },
    ...FOLDER_OPTIONS,
    {
      flags: '--objective <what>',
      description: 'what is best',
      choices: OBJECTIVES,
      default: 'latency',
    },
    { flags: '--max-latency-ms <ms>', description: 'slowest that may ship' },
    { flags: '--max-memory <size>', description: 'most memory that may ship, e.g. 64MiB' },
    { flags: '--max-bytes <size>', description: 'largest file that may ship, e.g. 200KB' },
    {
      flags: '--max-regression <points>',
      description: 'most accuracy that may be lost against the revision in use',
      default: '2',
    },
    {
      flags: '--min-metric <value>',
      description: 'least that the float model must reach over the test data, e.g. 90%',
    },
    { flags: '--note <text>', description: 'what to remember of this revision' },
    { flags: '--tag <tags>', description: 'names for this revision, e.g. stable' },
    {
      flags: '--force <reason>',
      description: 'register it whatever the gates say; the audit keeps why',
    },
    ...PROBE_OPTIONS,
    {
      flags: '--runtimes <names>',
      description: `the only ones that its applications load, e.g. tflite,onnxruntime (of ${RUNTIME_NAMES.join(', ')})`,
    },
  ],
  example:
    'fitment models add motor --model motor.tflite --calibration c.npz --test t.npz --max-accuracy-drop 1',
  input: z.object({
    ...dataInput,
    name: modelNameSchema,
    model: z.string('give the model with --model FILE'),
    calibration: z.string().optional(),
    test: z.string().optional(),
    classNames: z.string().optional(),
    maxRegression: decimal({ least: 0, most: 100 }),
    minMetric: metricValueInput.optional(),
    note: z.string().min(1).max(500).optional(),
    tag: tagsInput.optional(),
    force: z.string().min(1).max(200).optional(),
    metric: z.string().optional(),
    ...folderInput,
    maxAccuracyDrop: decimal({ least: 0, most: 100 }),
    objective: z.enum(OBJECTIVES),
    maxLatencyMs: decimal({ above: 0 }).optional(),
    maxMemory: bytesInput.optional(),
    maxBytes: bytesInput.optional(),
    runtimes: z
      .string()
      .transform((text) => text.split(/[\s,]+/).filter((word) => word !== ''))
      .pipe(z.array(z.enum(RUNTIME_NAMES)).min(1))
      .optional(),
    ...probeInput,
  }),
  run: async (input, io) => {
    if (input.metric !== undefined) builtInMetric(input.metric)
    await refuseNeedless(input)
    const probing = probingIn(input)
    const planner = connectPlanner(input.data)
    const progress = io.progress(`registering ${input.name}`)
    const sending = sendingOf(planner, (sent, of, name) =>
      progress.update(kib(sent), kib(of), `uploading ${name}, KiB`),
    )
    const source = await uploadModel(sending, input.model)
    const model = await planner.call(
      'models.add',
      {
        name: input.name,
        source,
        labels: input.classNames ? await upload(sending, input.classNames) : null,
        maxRegression: input.maxRegression / 100,
        minMetric: input.minMetric ?? null,
        note: input.note ?? null,
        tags: input.tag ?? [],
        force: input.force ?? null,
        calibration: await uploadData(sending, input.calibration, calibrationInput(input)),
        test: await uploadData(sending, input.test, input),
        objective: input.objective,
        constraints: {
          maxAccuracyDrop: input.maxAccuracyDrop / 100,
          metric: input.metric ?? null,
          maxLatencyMs: input.maxLatencyMs ?? null,
          maxMemoryBytes: input.maxMemory ?? null,
          maxBytes: input.maxBytes ?? null,
          runtimes: input.runtimes ?? null,
        },
        ...(probing && { probing }),
      },
      ({ done, total, what }) => progress.update(done, total, what),
    )
    progress.end()
    io.findings(model.findings)
    io.result(model, () => summaryOf(model))
    return 0
  },
})

/** A model that keeps constants in other files goes as one. */
async function uploadModel(send: Sending, path: string) {
  const name = basename(path)
  const isOnnx = formatOfEnding(path) === 'onnx'
  const scattered = isOnnx && keepsConstantsElsewhere(path, await readUserFile(path))
  if (!scattered) return upload(send, path)
  const { bytes } = await readModelFile(path)
  return await uploadMade(send, name, (file) => writeFile(file, bytes))
}

/** What nothing is made of would be left out in silence. @throws UsageError */
async function refuseNeedless({
  calibration,
  test,
  labels,
  preprocess,
}: Readonly<
  Partial<Record<'calibration' | 'test' | 'labels' | 'preprocess', string | undefined>>
>) {
  if ((labels ?? preprocess) === undefined) return
  const folders = await Promise.all([calibration, test].map(isFolder))
  if (folders.includes(true)) return
  throw new UsageError(
    '--labels and --preprocess are for folders of images or WAV files, and the data are none; names of classes are given with --class-names',
  )
}

async function isFolder(path: string | undefined): Promise<boolean> {
  return path !== undefined && ((await stat(path).catch(() => null))?.isDirectory() ?? false)
}

/** Arrays as they are; of a folder the arrays that its files become. */
async function uploadData(
  send: Sending,
  path: string | undefined,
  input: Parameters<typeof readData>[1],
) {
  if (path === undefined) return null
  if (!(await isFolder(path))) return await upload(send, path)
  const arrays = toArrays(await readData(path, input, 'any'))
  return await uploadMade(send, `${basename(path)}.npz`, (file) => writeNpz(file, arrays))
}

/** A file that is only made to be uploaded. */
async function uploadMade(send: Sending, name: string, write: (file: string) => Promise<unknown>) {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-upload-'))
  try {
    const file = join(folder, name)
    await write(file)
    return await upload(send, file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const kib = (bytes: number) => Math.ceil(bytes / 1024)

/** Sends a file, and tells how far it is. */
type Sending = (path: string) => Promise<string>

function sendingOf(
  planner: PlannerClient,
  told: (sent: number, of: number, name: string) => void,
): Sending {
  return (path) => planner.upload(path, (sent, of) => told(sent, of, basename(path)))
}

async function upload(send: Sending, path: string) {
  await requireReadable(path)
  return { digest: await send(path), name: basename(path) }
}

function summaryOf(model: ModelView): string {
  const reached = printQuality(model)
  const what = model.metric === undefined ? 'accuracy ' : ''
  const accuracy =
    reached === undefined
      ? 'accuracy not measured (no labels)'
      : `float ${what}${reached} over ${model.testSamples} samples`
  return `${model.name} registered, revision ${model.revision}: ${formatBytes(model.bytes)}, ${accuracy}`
}
