import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RuntimeError } from '../errors.ts'
import type { Pointer } from '../native/ffi.ts'
import type { LoadOptions, ModelFormat, TensorInfo } from '../runtime.ts'
import { readModelIo } from '../tflite-file/model-io.ts'
import { readOnnxEnds } from './onnx-ends.ts'
import type { OpenvinoApi } from './openvino-api.ts'

export const CANNOT_LOAD = 'OpenVINO cannot load this model'

/** An end by its name in OpenVINO, and what the file tells of it besides. */
export interface FileEnd {
  readonly tensor: string
  readonly told?: TensorInfo
}

export interface ModelFile {
  readonly inputs: readonly FileEnd[]
  readonly outputs: readonly FileEnd[]
  /** Makes a model of OpenVINO. @throws RuntimeError `not-loadable` */
  read(api: OpenvinoApi): Promise<Pointer>
}

/** @throws RuntimeError `not-loadable` */
export function openModelFile(bytes: Uint8Array, options: LoadOptions): ModelFile {
  return isTflite(bytes) ? tfliteFile(bytes, options) : onnxFile(bytes, options)
}

/** The file identifier of a FlatBuffer follows its first offset. */
function isTflite(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(4, 8)).toString('latin1') === 'TFL3'
}

function onnxFile(bytes: Uint8Array, { signature }: LoadOptions): ModelFile {
  if (signature !== undefined)
    throw new RuntimeError(
      'not-loadable',
      `an .onnx model has no signatures, and "${signature}" is asked for: leave it out`,
    )
  const { inputs, outputs } = readOnnxEnds(bytes)
  return {
    inputs: inputs.map((tensor) => ({ tensor })),
    outputs: outputs.map((tensor) => ({ tensor })),
    read: (api) => readByPath(api, bytes, 'onnx'),
  }
}

function tfliteFile(bytes: Uint8Array, { signature }: LoadOptions): ModelFile {
  const io = readModelIo(bytes, signature)
  if (io.signature !== 0)
    throw new RuntimeError(
      'not-loadable',
      `OpenVINO runs the first signature only, not "${signature}": name a LiteRT library, or save that signature as a model`,
    )
  if (io.graph.index !== 0)
    throw new RuntimeError(
      'not-loadable',
      'OpenVINO runs the first graph of a file only, and the first signature of this one is another: name a LiteRT library, or save that signature as a model',
    )
  const ends = (infos: readonly TensorInfo[], names: readonly string[]) =>
    infos.map((told, i) => ({ told, tensor: names[i] ?? told.name }))
  return {
    inputs: ends(io.inputs, io.graph.inputs),
    outputs: ends(io.outputs, io.graph.outputs),
    read: (api) => readByPath(api, bytes, 'tflite'),
  }
}

/**
 * OpenVINO reads .tflite from files alone, and .onnx from memory by another reader, which leaves out inputs that
 * nothing uses. What it keeps of the file stays mapped, so that the file can go before the session does, whose process
 * may be killed.
 */
async function readByPath(
  api: OpenvinoApi,
  bytes: Uint8Array,
  format: ModelFormat,
): Promise<Pointer> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-openvino-'))
  try {
    const path = join(folder, `model.${format}`)
    await writeFile(path, bytes, { mode: 0o600 })
    return api.made('not-loadable', CANNOT_LOAD, (out) =>
      api.call.readFile(api.core, path, null, out),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
