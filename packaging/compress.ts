import { createHash } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'

const brotli = promisify(brotliCompress)

/** Packages for several processors hold the same files, and the best compression takes its time. */
const done = new Map<string, Promise<Buffer>>()

/** Each file of the folder as `<name>.br` in its stead. */
export async function compressBelow(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    await writeFile(`${path}.br`, await compressed(await readFile(path)))
    await rm(path)
  }
}

function compressed(bytes: Buffer): Promise<Buffer> {
  const key = createHash('sha256').update(bytes).digest('hex')
  const made = done.get(key) ?? brotli(bytes, { params: paramsFor(bytes.length) })
  done.set(key, made)
  return made
}

/** RFC 7932: the widest window, which is as wide as these files, and the best search. */
function paramsFor(size: number): Record<number, number> {
  return {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: size,
  }
}
