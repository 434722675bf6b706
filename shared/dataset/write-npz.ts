import { writeFile } from 'node:fs/promises'
import { type Zippable, zipSync } from 'fflate'
import type { Tensor } from '../tensors.ts'
import { formatNpy, formatTextNpy, type TextArray } from './npy.ts'

/** Equal arrays give equal bytes, hence equal digests: the smallest date a zip archive can hold. */
const DATE = new Date(1980, 0, 1)

/** An .npz archive of these arrays, compressed; NumPy's `load` reads it. */
export function formatNpz(arrays: Iterable<readonly [string, Tensor | TextArray]>): Uint8Array {
  const files: Zippable = {}
  for (const [name, array] of arrays)
    files[`${name}.npy`] = [
      'text' in array ? formatTextNpy(array) : formatNpy(array),
      { level: 6, mtime: DATE },
    ]
  return zipSync(files)
}

export async function writeNpz(
  path: string,
  arrays: Iterable<readonly [string, Tensor | TextArray]>,
): Promise<void> {
  await writeFile(path, formatNpz(arrays))
}
