import { type FileHandle, open } from 'node:fs/promises'
import { ArchiveError, listZip, readPieces, readZipEntry } from '../archive/index.ts'
import { reasonOf } from '../errors.ts'
import type { Tensor } from '../tensors.ts'
import { formatBytes } from '../units.ts'
import { DatasetError } from './errors.ts'
import { readNpy } from './npy.ts'

export interface ReadOptions {
  /** An array larger than this is refused, whatever the archive claims; 4 GiB where absent. */
  readonly maxArrayBytes?: number
}

/**
 * The arrays of an .npz file by name (one called `x` for a bare .npy file), read one member at a time.
 * @throws DatasetError `unreadable`, `corrupt`, `object-array`, `unknown-type`, `too-large`
 */
export async function readArrays(
  path: string,
  options: ReadOptions = {},
): Promise<Map<string, Tensor>> {
  const file = await open(path).catch((cause: unknown) => {
    throw new DatasetError('unreadable', `cannot read ${path}: ${reasonOf(cause)}`, { path })
  })
  try {
    return await readMembers(file, path, options.maxArrayBytes ?? 4 * 2 ** 30)
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause
    if (cause instanceof ArchiveError) throw new DatasetError('corrupt', cause.message, { path })
    throw new DatasetError(
      'corrupt',
      `${path} is no .npz file, or it is damaged: make it with numpy.savez(path, x=..., y=...)`,
      { path },
      { cause },
    )
  } finally {
    await file.close()
  }
}

async function readMembers(
  file: FileHandle,
  path: string,
  limit: number,
): Promise<Map<string, Tensor>> {
  const magic = Buffer.alloc(6)
  await file.read(magic, 0, 6, 0)
  if (magic.toString('latin1') === '\x93NUMPY') {
    const { size } = await file.stat()
    checkSize(path, size, limit)
    return new Map([['x', await readNpy(readPieces(file, 0, size), size, path)]])
  }
  const arrays = new Map<string, Tensor>()
  for (const entry of await listZip(file)) {
    if (!entry.name.endsWith('.npy')) continue
    checkSize(`${path}: ${entry.name}`, Math.max(entry.size, entry.compressed), limit)
    const name = entry.name.slice(0, -'.npy'.length)
    const pieces = readZipEntry(file, entry)
    const array = await readNpy(pieces, entry.size, `${path}: ${entry.name}`).catch(
      (error: unknown) => passOver(error, name),
    )
    if (array) arrays.set(name, array)
  }
  return arrays
}

/** Names whose arrays are numbers, whatever else a file holds. */
const NUMBERS = /^(x|y|reference)(\.|$)/

/** Words beside samples, such as the device that each is of, are for people. */
function passOver(error: unknown, name: string): undefined {
  const descr = error instanceof DatasetError ? error.details.descr : undefined
  if (typeof descr === 'string' && /^[<>|=][US]\d+$/.test(descr) && !NUMBERS.test(name)) return
  throw error
}

function checkSize(name: string, size: number, limit: number): void {
  if (size > limit)
    throw new DatasetError(
      'too-large',
      `${name} takes ${formatBytes(size)}, more than the ${formatBytes(limit)} allowed: use fewer samples`,
    )
}
