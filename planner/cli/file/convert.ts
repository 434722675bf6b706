import { basename } from 'node:path'
import { z } from 'zod'
import { decimal } from '../../../shared/command-line/index.ts'
import { readDataset } from '../../../shared/dataset/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { UsageError } from '../../../shared/errors.ts'
import { type ModelFormat, startQuickly } from '../../../shared/runtime/index.ts'
import { formatBytes } from '../../../shared/units.ts'
import { convertProven, type ProvenConversion } from '../../conversion/index.ts'
import { defineCommand } from '../program/command.ts'
import { refuseToReplace, writeWhole } from '../program/write-whole.ts'
import { formatOfEnding, readModelFile } from './model-file.ts'
import { SHAPE_OPTION, shapeInput } from './model-shapes.ts'

const LAYOUTS = { source: 'source', nchw: 'source', nhwc: 'channels-last' } as const

const SHAPES_OF_ONNX = '--shape is for .onnx models: a .tflite takes its sizes from data'

const RELEASE_OF_TFLITE = '--target is a TensorFlow Lite release: it is for .tflite results'

export const convertCommand = defineCommand({
  path: 'convert',
  summary:
    'Writes a float model in the other format, .onnx as .tflite or back, after both gave the same outputs on the same inputs.',
  arguments: [{ name: 'model', description: '.onnx or .tflite file' }],
  options: [
    { flags: '-o, --output <file>', description: 'the file to write, ending in the other format' },
    {
      flags: '--layout <nhwc>',
      description:
        'put channels last at inputs and outputs of a .tflite result as well; the order of the source otherwise',
    },
    SHAPE_OPTION,
    {
      flags: '--data <file.npz>',
      description: 'samples to prove the result on; plausible ones are made otherwise',
    },
    {
      flags: '--tolerance <n>',
      description: 'largest difference of an output, as a share of its range',
      default: '1e-4',
    },
    {
      flags: '--target <release>',
      description:
        'the TensorFlow Lite release that shall run a .tflite result, such as 2.9: refused where an operator is newer',
    },
  ],
  example: 'fitment convert model.onnx -o model.tflite',
  input: z.object({
    model: z.string(),
    output: z.string('give the file to write with -o FILE'),
    layout: z.enum(Object.keys(LAYOUTS) as (keyof typeof LAYOUTS)[]).default('source'),
    shape: shapeInput,
    data: z.string().optional(),
    tolerance: decimal({ above: 0, most: 1 }),
    target: z
      .string()
      .regex(/^\d+\.\d+(\.\d+)?$/, 'give a release of TensorFlow Lite such as 2.9')
      .optional(),
  }),
  run: async (input, io) => {
    await refuseToReplace(input.output, [
      input.model,
      ...(input.data === undefined ? [] : [input.data]),
    ])
    const file = await readModelFile(input.model)
    if (input.shape && file.format === 'tflite') throw new UsageError(SHAPES_OF_ONNX)
    const to = otherFormat(file.format, input.output)
    if (input.target && to === 'onnx') throw new UsageError(RELEASE_OF_TFLITE)
    startQuickly()
    const progress = io.progress(`converting ${input.model}`)
    const data = input.data === undefined ? undefined : await readDataset(input.data)
    const result = await convertProven({
      bytes: file.bytes,
      from: file.format,
      to,
      fileName: basename(input.model),
      tolerance: input.tolerance,
      edges: LAYOUTS[input.layout],
      mayEndEarlier: true,
      ...(data && { data }),
      ...(input.shape && { shapes: input.shape }),
      ...(input.target && { release: input.target }),
    })
    progress.end()
    io.findings(result.findings)
    await writeWhole(input.output, result.bytes)
    const { bytes, findings, proof, tflite } = result
    io.result(
      {
        output: input.output,
        format: to,
        bytes: bytes.length,
        digest: digestOf(bytes),
        proof,
        ...tflite,
        findings,
      },
      () =>
        `${input.output}: ${formatBytes(bytes.length)}${factsLine(result)}\n${proofLine(result)}`,
    )
    return 0
  },
})

function otherFormat(format: ModelFormat, output: string): ModelFormat {
  const to = formatOfEnding(output)
  if (to !== undefined && to !== format) return to
  const wanted = format === 'onnx' ? 'tflite' : 'onnx'
  throw new UsageError(
    `a .${format} model is converted to .${wanted}: end the name of the output so`,
    { output },
  )
}

function factsLine({ tflite }: ProvenConversion): string {
  if (tflite === null) return ''
  const { operators, transposes, minRuntime, openBatch, integers } = tflite
  const batch = openBatch ? ', batch open' : ''
  const codes = integers
    ? `, ${integers.operators.integer} of ${integers.operators.total} on integers`
    : ''
  return `, ${operators} operators, ${transposes} of them transposes${codes}, runs since TensorFlow Lite ${minRuntime}${batch}`
}

function proofLine({ proof, tflite }: ProvenConversion): string {
  const { samples, outputs } = tflite?.integers?.proof ?? proof
  if (tflite?.integers) {
    const noise = outputs.map(({ name, sqnrDb }) => `${name} ${sqnrDb.toFixed(1)} dB`)
    return `keeps to the answers of the source on ${samples} samples with ${noise.join(', ')}`
  }
  const errors = outputs.map(({ name, error }) => `${name} ${error.toExponential(1)}`)
  return `differs from the source on ${samples} samples by, of each output's range: ${errors.join(', ')}`
}
