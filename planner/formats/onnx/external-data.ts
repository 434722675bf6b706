import { open } from 'node:fs/promises'
import { isAbsolute, join, normalize } from 'node:path'
import { messageOf } from '../../../shared/errors.ts'
import { OnnxError } from './errors.ts'
import { newMessage, type OnnxModel, type OnnxTensor } from './model.ts'
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

/**
 * Moves every constant of at least `thresholdBytes` out of the model.
 * @returns the bytes to write as `location` beside the .onnx file
 */
export function storeExternalData(
  model: OnnxModel,
  location: string,
  thresholdBytes = 1024,
): Uint8Array {
  const moved: { bytes: Uint8Array; offset: number }[] = []
  let end = 0
  for (const tensor of tensorsOf(model)) {
    if (tensor.rawData.length < thresholdBytes || tensor.dataLocation === 1) continue
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT
    end = offset + tensor.rawData.length
    moved.push({ bytes: tensor.rawData, offset })
    const entries = { location, offset: String(offset), length: String(tensor.rawData.length) }
    tensor.externalData = Object.entries(entries).map(([key, value]) =>
      newMessage('StringStringEntryProto', { key, value }),
    )
    tensor.dataLocation = 1
    tensor.rawData = new Uint8Array()
  }
  const file = new Uint8Array(end)
  for (const { bytes, offset } of moved) file.set(bytes, offset)
  return file
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
  try {
    return await readRange(path, Number(entries.get('offset') ?? 0), entries.get('length'))
  } catch (cause) {
    throw new OnnxError(
      'external-data-missing',
      `constant "${tensor.name}" is kept in ${path}, which cannot be read (${messageOf(cause)}): put the data file beside the model`,
      { tensor: tensor.name, path },
      { cause },
    )
  }
}

async function readRange(path: string, offset: number, length?: string): Promise<Uint8Array> {
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
