import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { modelNameSchema } from '../../../shared/ids.ts'
import { RUNTIME_NAMES } from '../../../shared/runtime/index.ts'
import { formatBytes, formatPercent } from '../../../shared/units.ts'
import { connectPlanner, type ModelView, type PlannerClient } from '../../api/index.ts'
import { OBJECTIVES } from '../../selection/index.ts'
import { formatOfEnding, readModelFile, readUserFile } from '../file/model-file.ts'
import { keepsConstantsElsewhere } from '../file/onnx-file.ts'
import { defineCommand } from '../program/command.ts'
import { bytesInput, dataInput, dataOption } from '../program/fleet-options.ts'

export const modelsAddCommand = defineCommand({
  path: 'models add',
  summary:
    'Registers a float model with its data and limits; the same name again is its next revision.',
  arguments: [{ name: 'name', description: 'name of the model in the fleet' }],
  options: [
    dataOption,
    { flags: '--model <file>', description: 'the float .tflite or .onnx model' },
    {
      flags: '--calibration <file.npz>',
      description: 'samples x that show the ranges of activations',
    },
    { flags: '--test <file.npz>', description: 'samples x and labels y to measure accuracy with' },
    {
      flags: '--labels <file.txt>',
      description:
        'names of the classes, a line each: model.json beside the installed model tells them',
    },
    {
      flags: '--max-accuracy-drop <points>',
      description: 'most accuracy that may be lost against float32',
      default: '1',
    },
    { flags: '--objective <what>', description: OBJECTIVES.join(', '), default: 'latency' },
    { flags: '--max-latency-ms <ms>', description: 'slowest that may ship' },
    { flags: '--max-memory <size>', description: 'most memory that may ship, e.g. 64MiB' },
    { flags: '--max-bytes <size>', description: 'largest file that may ship, e.g. 200KB' },
    {
      flags: '--max-regression <points>',
      description: 'most accuracy that may be lost against the revision in use',
      default: '2',
    },
    {
      flags: '--force <reason>',
      description: 'register it whatever the gates say; the audit keeps why',
    },
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
    labels: z.string().optional(),
    maxRegression: z.coerce.number().min(0).max(100),
    force: z.string().min(1).max(200).optional(),
    maxAccuracyDrop: z.coerce.number().min(0).max(100),
    objective: z.enum(OBJECTIVES),
    maxLatencyMs: z.coerce.number().positive().optional(),
    maxMemory: bytesInput.optional(),
    maxBytes: bytesInput.optional(),
    runtimes: z
      .string()
      .transform((text) => text.split(/[\s,]+/).filter((word) => word !== ''))
      .pipe(z.array(z.enum(RUNTIME_NAMES)).min(1))
      .optional(),
  }),
  run: async (input, io) => {
    const planner = connectPlanner(input.data)
    const progress = io.progress(`registering ${input.name}`)
    const source = await uploadModel(planner, input.model)
    const model = await planner.call(
      'models.add',
      {
        name: input.name,
        source,
        calibration: input.calibration ? await upload(planner, input.calibration) : null,
        test: input.test ? await upload(planner, input.test) : null,
        labels: input.labels ? await upload(planner, input.labels) : null,
        maxRegression: input.maxRegression / 100,
        force: input.force ?? null,
        objective: input.objective,
        constraints: {
          maxAccuracyDrop: input.maxAccuracyDrop / 100,
          maxLatencyMs: input.maxLatencyMs ?? null,
          maxMemoryBytes: input.maxMemory ?? null,
          maxBytes: input.maxBytes ?? null,
          runtimes: input.runtimes ?? null,
        },
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
async function uploadModel(planner: PlannerClient, path: string) {
  const name = basename(path)
  const isOnnx = formatOfEnding(path) === 'onnx'
  const scattered = isOnnx && keepsConstantsElsewhere(path, await readUserFile(path))
  if (!scattered) return upload(planner, path)
  const folder = await mkdtemp(join(tmpdir(), 'fitment-model-'))
  try {
    await writeFile(join(folder, name), (await readModelFile(path)).bytes)
    return await upload(planner, join(folder, name))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function upload(planner: PlannerClient, path: string) {
  return { digest: await planner.upload(path), name: basename(path) }
}

function summaryOf(model: ModelView): string {
  const accuracy =
    model.accuracy === null
      ? 'accuracy not measured (no labels)'
      : `float accuracy ${formatPercent(model.accuracy)} over ${model.testSamples} samples`
  return `${model.name} registered, revision ${model.revision}: ${formatBytes(model.bytes)}, ${accuracy}`
}
