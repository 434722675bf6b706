import { z } from 'zod'
import { UsageError } from '../../../shared/errors.ts'
import {
  type EngineChoice,
  isPackaged,
  type ModelFormat,
  RUNTIME_NAMES,
  takesFormat,
} from '../../../shared/runtime/index.ts'
import { referenceTarget } from '../../targets/index.ts'
import type { CliOption } from '../program/command.ts'

/** In what a model file is run; what this program ships where none of them is given. */
export const ENGINE_OPTIONS: readonly CliOption[] = [
  {
    flags: '--runtime <name>',
    description: `${RUNTIME_NAMES.join(', ')} (default: litert for .tflite, onnxruntime for .onnx)`,
  },
  {
    flags: '--library <path>',
    description: 'shared library of a native runtime, e.g. /usr/lib/libtensorflowlite_c.so',
  },
  {
    flags: '--delegate <path,key=value...>',
    description: 'external delegate with its options; several are asked in order',
  },
  {
    flags: '--min-delegated <share>',
    description: 'refuse where delegates take less of the operators, e.g. 90%',
  },
  { flags: '--no-xnnpack', description: 'without XNNPACK behind the delegates' },
  { flags: '--device <name>', description: 'device of OpenVINO: CPU, GPU, NPU, AUTO' },
]

const SHARE = /^(\d{1,3}(?:\.\d+)?)\s*%$/

const shareInput = z.string().transform((text, context) => {
  const percent = Number(SHARE.exec(text)?.[1] ?? Number.NaN)
  if (percent > 0 && percent <= 100) return percent / 100
  context.addIssue({ code: 'custom', message: `"${text}" is no share such as 90%` })
  return z.NEVER
})

/** `PATH,key=value,…`: a path has no comma. */
const delegateInput = z.string().transform((text, context) => {
  const [path = '', ...pairs] = text.split(',')
  const options: Record<string, string> = {}
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) context.addIssue({ code: 'custom', message: `"${pair}" is not KEY=VALUE` })
    else options[pair.slice(0, at)] = pair.slice(at + 1)
  }
  return { path, options }
})

export const engineInput = {
  runtime: z.enum(RUNTIME_NAMES).optional(),
  library: z.string().min(1).optional(),
  delegate: z.array(delegateInput).default([]),
  minDelegated: shareInput.optional(),
  xnnpack: z.boolean().default(true),
  device: z.string().min(1).optional(),
}
type EngineInput = z.output<z.ZodObject<typeof engineInput>>

/** @throws UsageError where the options contradict each other, or the model */
export function engineFrom(
  { runtime: asked, library, delegate, minDelegated, xnnpack, device }: EngineInput,
  format: ModelFormat,
): EngineChoice {
  const runtime = asked ?? referenceTarget(format)
  if (!takesFormat(runtime, format))
    throw new UsageError(
      `${runtime} takes no .${format} files: leave out --runtime for one that does`,
    )
  const isNative = !isPackaged(runtime)
  const onlyNative = library ?? delegate[0]?.path ?? device
  if (!isNative && onlyNative !== undefined)
    throw new UsageError(
      `--library, --delegate and --device are for native runtimes, and ${runtime} comes with fitment: add --runtime tflite or --runtime openvino`,
    )
  if (isNative && library === undefined)
    throw new UsageError(`${runtime} is a library of the machine: name it with --library PATH`)
  if (minDelegated !== undefined && delegate.length === 0)
    throw new UsageError('--min-delegated needs a --delegate whose share it is')
  return {
    runtime,
    ...(library !== undefined && { library }),
    ...(delegate.length > 0 && { delegates: delegate }),
    ...(device !== undefined && { device }),
    ...(minDelegated !== undefined && { minDelegated }),
    ...(xnnpack ? {} : { xnnpack }),
  }
}
