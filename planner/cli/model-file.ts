import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { UsageError } from '../../shared/errors.ts'
import {
  loadRuntime,
  type ModelFormat,
  RUNTIME_FORMATS,
  runtimeFor,
  type Session,
} from '../../shared/runtime/index.ts'

export interface ModelFile {
  readonly path: string
  readonly format: ModelFormat
  readonly bytes: Uint8Array
}

const FORMATS: readonly string[] = Object.values(RUNTIME_FORMATS)

/** @throws UsageError when the file is absent or its ending is no model format's */
export async function readModelFile(path: string): Promise<ModelFile> {
  const format = extname(path).slice(1).toLowerCase()
  if (!FORMATS.includes(format)) {
    const endings = FORMATS.map((name) => `.${name}`).join(' or ')
    throw new UsageError(`${path} is no model file: give one ending in ${endings}`, { path })
  }
  return { path, format: format as ModelFormat, bytes: await readUserFile(path) }
}

/** Opens the model in its runtime; the caller closes the session. */
export async function openModel({ format, bytes }: ModelFile, threads?: number): Promise<Session> {
  const runtime = await loadRuntime(runtimeFor(format))
  return runtime.load(bytes, threads === undefined ? {} : { threads })
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'reading it is not allowed',
}

/** @throws UsageError with the reason in words */
export async function readUserFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? ''
    throw new UsageError(`cannot read ${path}: ${REASONS[code] ?? code}`, { path }, { cause })
  }
}
