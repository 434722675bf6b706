import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { reasonOf, UsageError } from '../../../shared/errors.ts'
import {
  loadRuntime,
  MODEL_FORMAT_NAMES,
  type ModelFormat,
  type Session,
} from '../../../shared/runtime/index.ts'
import type { InputShapes } from '../../formats/onnx/index.ts'
import { referenceTarget } from '../../targets/index.ts'

export interface ModelFile {
  readonly path: string
  readonly format: ModelFormat
  readonly bytes: Uint8Array
}

const FORMATS: readonly string[] = MODEL_FORMAT_NAMES

/**
 * The file, with constants that it keeps in others, and open sizes filled in.
 * @throws UsageError when the file is absent or its ending is no model format's, OnnxError
 */
export async function readModelFile(path: string, shapes?: InputShapes): Promise<ModelFile> {
  const format = formatOfEnding(path)
  if (format === undefined) {
    const endings = FORMATS.map((name) => `.${name}`).join(' or ')
    throw new UsageError(`${path} is no model file: give one ending in ${endings}`, { path })
  }
  const bytes = await readUserFile(path)
  if (format === 'onnx') {
    // Its parser is loaded for those who need it.
    const { wholeOnnx } = await import('./onnx-file.ts')
    return { path, format, bytes: await wholeOnnx(path, bytes, shapes) }
  }
  if (shapes)
    throw new UsageError('--shape is for .onnx models: a .tflite takes its sizes from data')
  return { path, format, bytes }
}

export function formatOfEnding(path: string): ModelFormat | undefined {
  const ending = extname(path).slice(1).toLowerCase()
  return FORMATS.includes(ending) ? (ending as ModelFormat) : undefined
}

/** Opens the model in its runtime; the caller closes the session. */
export async function openModel({ format, bytes }: ModelFile, threads?: number): Promise<Session> {
  const runtime = await loadRuntime(referenceTarget(format))
  return runtime.load(bytes, threads === undefined ? {} : { threads })
}

/** @throws UsageError with the reason in words */
export async function readUserFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new UsageError(`cannot read ${path}: ${reasonOf(cause)}`, { path }, { cause })
  }
}
