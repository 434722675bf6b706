import { open, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, normalize, sep } from 'node:path'
import { messageOf } from '../../../shared/errors.ts'
import { ARRAY_OF } from '../../../shared/tensors.ts'
import { OnnxError } from './errors.ts'
import {
  copyMessage,
  newMessage,
  type OnnxGraph,
  type OnnxModel,
  type OnnxTensor,
} from './model.ts'
import { elementCount, elementTypeOf } from './tensor-data.ts'
import { tensorsOf } from './walk.ts'

/** Offsets are aligned to this so that runtimes may map the file (onnx/external_data_helper.py). */
const ALIGNMENT = 4096

/**
 * Brings constants kept in other files into the model.
 * @param directory the folder of the .onnx file; locations outside it are refused
 * @throws OnnxError `external-data-missing`, `external-data-outside`
 */
export async function loadExternalData(model: OnnxModel, directory: string): Promise<void> {
  for (const tensor of tensorsOf(model)) {
    if (tensor.dataLocation !== 1) continue
    tensor.rawData = await readExternal(tensor, directory)
    tensor.dataLocation = 0
    tensor.externalData = []
  }
}

export function hasExternalData(model: OnnxModel): boolean {
  for (const tensor of tensorsOf(model)) if (tensor.dataLocation === 1) return true
  return false
}

/** Bytes of a data file, each piece at its offset. */
export interface DataFile {
  readonly size: number
  readonly pieces: readonly { readonly bytes: Uint8Array; readonly offset: number }[]
}

/**
 * Moves every constant of at least `thresholdBytes` out of the model.
 * @returns the bytes to write as `location` beside the .onnx file
 */
export function storeExternalData(
  model: OnnxModel,
  location: string,
  thresholdBytes = 1024,
): Uint8Array {
  const movable = [...tensorsOf(model)].filter((tensor) => isMovable(tensor, thresholdBytes))
  const { moved, data } = moveOut(movable, location)
  movable.forEach((tensor, i) => {
    Object.assign(tensor, moved[i])
  })
  const file = new Uint8Array(data.size)
  for (const { bytes, offset } of data.pieces) file.set(bytes, offset)
  return file
}

/** A graph whose large constants are elsewhere, and that file; `graph` stays as it is, and no number is copied. */
export function withoutConstants(
  graph: OnnxGraph,
  location: string,
  thresholdBytes = 1024,
): { readonly graph: OnnxGraph; readonly data: DataFile } {
  const movable = graph.initializer.filter((tensor) => isMovable(tensor, thresholdBytes))
  const { moved, data } = moveOut(movable, location)
  const replaced = new Map(movable.map((tensor, i) => [tensor, moved[i]]))
  const initializer = graph.initializer.map((tensor) => replaced.get(tensor) ?? tensor)
  return { graph: { ...graph, initializer }, data }
}

function isMovable({ rawData, dataLocation }: OnnxTensor, thresholdBytes: number): boolean {
  return rawData.length >= thresholdBytes && dataLocation !== 1
}

function moveOut(tensors: readonly OnnxTensor[], location: string) {
  const pieces: { bytes: Uint8Array; offset: number }[] = []
  let end = 0
  const moved = tensors.map((tensor): OnnxTensor => {
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT
    const { rawData: bytes } = tensor
    pieces.push({ bytes, offset })
    end = offset + bytes.length
    const entries = { location, offset: String(offset), length: String(bytes.length) }
    const externalData = Object.entries(entries).map(([key, value]) =>
      newMessage('StringStringEntryProto', { key, value }),
    )
    const changes = { rawData: new Uint8Array(), externalData, dataLocation: 1 }
    return copyMessage('TensorProto', tensor, changes)
  })
  return { moved, data: { size: end, pieces } }
}

async function readExternal(tensor: OnnxTensor, directory: string): Promise<Uint8Array> {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]))
  const location = normalize(entries.get('location') ?? '')
  if (isAbsolute(location) || location.startsWith('..') || location === '.') {
    throw new OnnxError(
      'external-data-outside',
      `constant "${tensor.name}" points outside the model's folder ("${entries.get('location')}"): refused`,
      { tensor: tensor.name, location },
    )
  }
  const path = join(directory, location)
  await refuseLinksOutside(tensor, path, directory)
  try {
    const length = entries.get('length') ?? bytesOf(tensor)
    return await readRange(path, Number(entries.get('offset') ?? 0), length)
  } catch (cause) {
    throw new OnnxError(
      'external-data-missing',
      `constant "${tensor.name}" is kept in ${path}, which cannot be read (${messageOf(cause)}): put the data file beside the model`,
      { tensor: tensor.name, path },
      { cause },
    )
  }
}

/** What a link leads to counts, not where it lies. */
async function refuseLinksOutside(
  { name }: OnnxTensor,
  path: string,
  directory: string,
): Promise<void> {
  const [target, folder] = await Promise.all([path, directory].map((one) => realpath(one))).catch(
    () => [],
  )
  // What is not there is told by who reads it.
  if (target === undefined || folder === undefined || target.startsWith(join(folder, sep))) return
  throw new OnnxError(
    'external-data-outside',
    `constant "${name}" is kept in ${path}, a link out of the model's folder: refused`,
    { tensor: name, location: path },
  )
}

/** What the elements take, where their type has whole bytes; else all that there is. */
function bytesOf(tensor: OnnxTensor): number | undefined {
  const type = elementTypeOf(tensor)
  return type && elementCount(tensor) * ARRAY_OF[type].BYTES_PER_ELEMENT
}

async function readRange(
  path: string,
  offset: number,
  length?: string | number,
): Promise<Uint8Array> {
  // Opening a pipe would wait for whoever writes to it.
  if (!(await stat(path)).isFile()) throw new Error('it is no file')
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const wanted = length === undefined ? size - offset : Number(length)
    if (!(offset >= 0 && wanted >= 0 && offset + wanted <= size)) {
      throw new Error(`bytes ${offset}–${offset + wanted} of a file of ${size}`)
    }
    const bytes = new Uint8Array(wanted)
    await file.read(bytes, 0, wanted, offset)
    return bytes
  } finally {
    await file.close()
  }
}
