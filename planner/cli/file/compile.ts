import { z } from 'zod'
import { decimal } from '../../../shared/command-line/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { UsageError } from '../../../shared/errors.ts'
import { formatBytes } from '../../../shared/units.ts'
import { compile, printReport } from '../../compilers/index.ts'
import { ACCELERATED_NAMES, targetOf } from '../../targets/index.ts'
import { defineCommand } from '../program/command.ts'
import { refuseToReplace, writeWhole } from '../program/write-whole.ts'
import { readModelFile } from './model-file.ts'

const COMPILED = ACCELERATED_NAMES.filter((name) => targetOf(name).accelerator?.compiler)

export const compileCommand = defineCommand({
  path: 'compile',
  summary:
    'Makes the file of an accelerator by its vendor’s compiler, which runs with limits and without a network, and says what of the model it took.',
  arguments: [
    { name: 'model', description: 'quantized .tflite file, in the scheme that inspect names' },
  ],
  options: [
    { flags: '--target <name>', description: `one of ${COMPILED.join(', ')}` },
    { flags: '-o, --output <file>', description: 'the .tflite file to write' },
    {
      flags: '--compiler <path>',
      description: 'where the compiler is (default: FITMENT_VELA and the like, then PATH)',
    },
    { flags: '--timeout <seconds>', description: 'longest it may take (default: 600)' },
  ],
  example: 'fitment compile int8.tflite --target ethos-u65-256 -o npu.tflite',
  input: z.object({
    model: z.string(),
    target: z.enum(COMPILED as [(typeof COMPILED)[number], ...typeof COMPILED], {
      error: `give one of ${COMPILED.join(', ')} with --target NAME`,
    }),
    output: z.string('give the file to write with -o FILE'),
    compiler: z.string().optional(),
    timeout: decimal({ above: 0, most: 86_400 }).optional(),
  }),
  run: async ({ model, target, output, compiler, timeout }, io) => {
    await refuseToReplace(output, [model])
    const file = await readModelFile(model)
    if (file.format !== 'tflite') {
      throw new UsageError(`${model} is no .tflite file: compilers of accelerators take no others`)
    }
    const progress = io.progress(`compiling ${model}`)
    const { bytes, report } = await compile({
      model: file.bytes,
      target,
      compiler,
      timeoutMs: timeout && timeout * 1000,
    })
    progress.end()
    await writeWhole(output, bytes)
    const written = { output, target, bytes: bytes.length, digest: digestOf(bytes) }
    io.result({ ...written, sourceBytes: file.bytes.length, ...report }, () =>
      [
        `${output}: ${target}, ${formatBytes(bytes.length)} (was ${formatBytes(file.bytes.length)})`,
        printReport(report),
        report.withoutNetwork
          ? 'it ran without a network'
          : 'this system let it keep the network (unshare is missing or not allowed)',
      ].join('\n'),
    )
    return 0
  },
})
