import { basename } from 'node:path'
import { z } from 'zod'
import { digestOf } from '../../../shared/digest.ts'
import { isPackaged, type ModelFormat } from '../../../shared/runtime/index.ts'
import { BASE_SCHEMES, parseScheme, printScheme, type Scheme } from '../../../shared/schemes.ts'
import { formatBytes, formatRatio } from '../../../shared/units.ts'
import { convertModel } from '../../formats/index.ts'
import { type Level, paretoFront, type RecoveryStep } from '../../quantizer/index.ts'
import { referenceTarget } from '../../targets/index.ts'
import {
  quantizeFastest,
  quantizeForTarget,
  quantizeTimed,
  type Sped,
} from '../../variants/file-speed.ts'
import type { FileTarget } from '../../variants/file-target.ts'
import type { CliOption, ExitCode } from '../program/command.ts'
import { defineCommand } from '../program/command.ts'
import type { CliIo } from '../program/io.ts'
import { refuseToReplace, writeWhole } from '../program/write-whole.ts'
import {
  blamingLine,
  calibrationInput,
  FOLDER_OPTIONS,
  folderInput,
  readData,
} from './data-options.ts'
import { ENGINE_OPTIONS, engineFrom, engineInput } from './engine-options.ts'
import { interruptible, printFront, schemeName, searches } from './mixtures.ts'
import { formatOfEnding, type ModelFile, readModelFile } from './model-file.ts'
import { SHAPE_OPTION, shapeInput } from './model-shapes.ts'
import { optionsOf, QUANTIZE_OPTIONS, quantizeOptionsShape } from './quantize-options.ts'

const TARGET_OPTION: CliOption = {
  flags: '--target <class|release>',
  description:
    'where the file must load: a device class, or the oldest TensorFlow Lite release, e.g. 2.5; operators too new for it stay in float',
}

const FASTEST_OPTION: CliOption = {
  flags: '--fastest',
  description:
    '.onnx in static-w8a8: leave in float what integers slow down on this machine, found by profile and measured; writes nothing where float32 stays faster',
}

const inputSchema = z.object({
  model: z.string(),
  scheme: z.string('give the scheme with --scheme NAME'),
  calibration: z.string().optional(),
  ...folderInput,
  target: z.string().optional(),
  shape: shapeInput,
  ...quantizeOptionsShape,
  fastest: z.boolean().optional(),
  ...engineInput,
  output: z.string('give the file to write with -o FILE'),
})

export const quantizeCommand = defineCommand({
  path: 'quantize',
  summary: 'Writes a float model in another scheme, after running the result in its real runtime.',
  arguments: [{ name: 'model', description: 'float .tflite or .onnx file' }],
  options: [
    {
      flags: '--scheme <name>',
      description: `one of ${Object.keys(BASE_SCHEMES).join(', ')}, with suffixes such as -io8; or auto: 8 bits wherever --max-drop allows`,
    },
    {
      flags: '--calibration <path>',
      description:
        'samples of the inputs, for schemes with integer activations: .npz, or a folder of images or WAV files',
    },
    ...FOLDER_OPTIONS,
    TARGET_OPTION,
    ...QUANTIZE_OPTIONS,
    FASTEST_OPTION,
    SHAPE_OPTION,
    ...ENGINE_OPTIONS,
    {
      flags: '-o, --output <file>',
      description:
        'the file to write; a .tflite source becomes .onnx where its name ends so, and the other way round',
    },
  ],
  example:
    'fitment quantize float.tflite --scheme static-w8a8-io8 --calibration samples.npz -o int8.tflite',
  input: inputSchema,
  run: (input, io) =>
    interruptible(searches(input), io.note, (signal) => quantizeFile(input, io, signal)),
})

async function quantizeFile(
  input: z.output<typeof inputSchema>,
  io: CliIo,
  signal: AbortSignal | undefined,
): Promise<ExitCode> {
  const sources = [input.model, input.calibration, input.test].filter((path) => path !== undefined)
  await refuseToReplace(input.output, sources)
  const file = await readModelFile(input.model, input.shape)
  const model = await asWritten(file, input.output)
  const asked = parseScheme(schemeName(input, model.format))
  const target = await fileTarget(input.target, asked, model.format)
  const options = { ...target.options, ...(await optionsOf(input, signal)) }
  const engine = engineFrom(input, model.format)
  // Labels of calibration samples serve where there are no test samples.
  const kind = input.metric === undefined ? 'classes' : 'any'
  const calibration =
    input.calibration === undefined
      ? null
      : readData(input.calibration, calibrationInput(input), kind)
  // Whoever needs it tells.
  calibration?.catch(() => {})
  const progress = io.progress(`quantizing ${input.model}`)
  const request = {
    model: model.bytes,
    target: referenceTarget(model.format),
    fileName: basename(input.model),
    scheme: target.scheme,
    ...(calibration && { calibration }),
    ...(!isPackaged(engine.runtime) && { engine }),
    options,
    onProgress: progress.update,
  }
  const { result, speed, ...timed } = await blamingLine(input, () =>
    input.fastest
      ? quantizeFastest(request)
      : input.target === undefined
        ? quantizeTimed(request)
        : quantizeForTarget(request, target),
  )
  progress.end()
  const { operators, bytes, recovery, level, budget, compression } = result
  const findings = [...result.findings, ...timed.findings]
  io.findings(findings)
  // Worse than the float model: nobody wants the file.
  if (findings.some(({ severity }) => severity === 'error')) {
    if (io.json) io.result({ output: null, ...(level && { level }), findings }, () => '')
    return 1
  }
  await writeWhole(input.output, bytes)
  io.result(
    {
      output: input.output,
      format: model.format,
      scheme: printScheme(result.scheme),
      bytes: bytes.length,
      sourceBytes: file.bytes.length,
      digest: digestOf(bytes),
      operators,
      recovery,
      ...(level && { level }),
      speed,
      ...(budget && { budget: { ...budget, pareto: paretoFront(budget) } }),
      ...(compression && { compression }),
      findings,
    },
    () => [
      `${input.output}: ${printScheme(result.scheme)}, ${formatBytes(bytes.length)} (was ${formatBytes(file.bytes.length)}), ` +
        `${operators.integer} of ${operators.total} operators on integers${speedClause(speed)}${recoveryLine(recovery)}${levelLine(level)}`,
      ...(budget ? [printFront(budget)] : []),
    ],
  )
  return 0
}

/** Profiles of boards are read for those alone who name a place. */
async function fileTarget(
  place: string | undefined,
  scheme: Scheme,
  format: ModelFormat,
): Promise<FileTarget> {
  if (place === undefined) return { scheme, options: {} }
  const { fileTargetFor } = await import('../../variants/file-target.ts')
  return await fileTargetFor(place, scheme, format)
}

/** Where it was timed beside float32 on this machine. */
function speedClause(speed: Sped['speed']): string {
  return speed !== null && 'ratio' in speed
    ? `, ${formatRatio(speed.ratio)} the time of float32 here`
    : ''
}

/** What the outputs gained, measured on calibration samples. */
function recoveryLine(steps: readonly RecoveryStep[]): string {
  if (steps.length === 0) return ''
  const gains = steps.map(({ method, sqnrDbBefore, sqnrDbAfter, kept }) => {
    const gain = sqnrDbAfter - sqnrDbBefore
    return kept ? `${method} +${gain.toFixed(1)} dB` : `${method} left out`
  })
  return `\nrecovery, at the outputs of calibration samples: ${gains.join(', ')}`
}

/** What every output reaches, and where parts of it differ, those. */
function levelLine(level: Level | undefined): string {
  if (level === undefined || level.outputs.length === 0) return ''
  const outputs = level.outputs.map(({ name, sqnrDb, spreadDb, slices }) => {
    const parts = slices.map((slice) => `${slice.name} ${slice.sqnrDb.toFixed(1)}`)
    const spread = spreadDb === null ? '' : ` ± ${spreadDb.toFixed(1)}`
    return `${name} ${sqnrDb.toFixed(1)}${spread} dB${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`
  })
  const samples = `${level.samples} ${level.heldOut ? 'held-out' : 'calibration'} samples`
  return `\nlevel, at the outputs of ${samples}: ${outputs.join(', ')}`
}

/** In the format that the output's name asks for. */
async function asWritten({ path, format, bytes }: ModelFile, output: string) {
  const wanted = formatOfEnding(output) ?? format
  if (wanted === format) return { format, bytes, findings: [] }
  const fileName = basename(path)
  if (wanted === 'onnx') {
    return { format: wanted, ...(await convertModel(bytes, format, wanted, fileName)) }
  }
  // With the lowerings of every operator: loaded by those alone who convert.
  const { convertProven, DEFAULT_TOLERANCE } = await import('../../conversion/index.ts')
  const request = { bytes, from: format, to: wanted, fileName, tolerance: DEFAULT_TOLERANCE }
  return { format: wanted, ...(await convertProven({ ...request, keepClosed: true })) }
}
