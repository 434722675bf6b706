import { z } from 'zod'
import { readDataset } from '../../shared/dataset/index.ts'
import { digestOf } from '../../shared/digest.ts'
import { BASE_SCHEMES, parseScheme, printScheme } from '../../shared/schemes.ts'
import { formatBytes } from '../../shared/units.ts'
import {
  type CompressionOptions,
  quantize,
  SPARING_NAMES,
  type Sparing,
} from '../quantizer/index.ts'
import { defineCommand } from './command.ts'
import { readModelFile } from './model-file.ts'
import { writeWhole } from './write-whole.ts'

export const quantizeCommand = defineCommand({
  path: 'quantize',
  summary: 'Writes a float model in another scheme, after running the result in its real runtime.',
  arguments: [{ name: 'model', description: 'float .tflite or .onnx file' }],
  options: [
    {
      flags: '--scheme <name>',
      description: `one of ${Object.keys(BASE_SCHEMES).join(', ')}, with suffixes such as -io8`,
    },
    {
      flags: '--calibration <file.npz>',
      description: 'samples of the inputs, for schemes with integer activations',
    },
    {
      flags: '--prune <share>',
      description:
        'first make this share of the weights zero, e.g. 0.5: a smaller download, no speed',
    },
    {
      flags: '--cluster <n>',
      description: 'first let the weights of a layer have only n values, e.g. 16: the same',
    },
    {
      flags: '--compress-also <layers>',
      description: `layers that both spare by default, by commas: ${SPARING_NAMES.join(', ')}`,
    },
    { flags: '-o, --output <file>', description: 'the file to write' },
  ],
  example:
    'fitment quantize float.tflite --scheme static-w8a8-io8 --calibration samples.npz -o int8.tflite',
  input: z.object({
    model: z.string(),
    scheme: z.string('give the scheme with --scheme NAME'),
    calibration: z.string().optional(),
    prune: z.coerce.number('give a share between 0 and 1').optional(),
    cluster: z.coerce.number('give a number of values').optional(),
    compressAlso: z
      .string()
      .transform((list) => list.split(','))
      .pipe(z.array(z.enum(SPARING_NAMES)))
      .optional(),
    output: z.string('give the file to write with -o FILE'),
  }),
  run: async (input, io) => {
    const scheme = parseScheme(input.scheme)
    const model = await readModelFile(input.model)
    const calibration = input.calibration && (await readDataset(input.calibration))
    const progress = io.progress(`quantizing ${input.model}`)
    const result = await quantize({
      model: model.bytes,
      format: model.format,
      scheme,
      ...(calibration ? { calibration } : {}),
      ...(input.prune === undefined && input.cluster === undefined
        ? {}
        : { options: { compression: compressionOf(input) } }),
      onProgress: progress.update,
    })
    progress.end()
    await writeWhole(input.output, result.bytes)
    const { operators, findings, bytes, compression } = result
    io.findings(findings)
    io.result(
      {
        output: input.output,
        format: model.format,
        scheme: printScheme(result.scheme),
        bytes: bytes.length,
        sourceBytes: model.bytes.length,
        digest: digestOf(bytes),
        operators,
        ...(compression && { compression }),
        findings,
      },
      () =>
        `${input.output}: ${printScheme(result.scheme)}, ${formatBytes(bytes.length)} (was ${formatBytes(model.bytes.length)}), ` +
        `${operators.integer} of ${operators.total} operators on integers`,
    )
    return findings.some(({ severity }) => severity === 'error') ? 1 : 0
  },
})

function compressionOf({
  prune,
  cluster,
  compressAlso,
}: {
  readonly prune?: number | undefined
  readonly cluster?: number | undefined
  readonly compressAlso?: readonly Sparing[] | undefined
}): CompressionOptions {
  return {
    ...(prune !== undefined && { prune }),
    ...(cluster !== undefined && { cluster }),
    ...(compressAlso && { also: compressAlso }),
  }
}
