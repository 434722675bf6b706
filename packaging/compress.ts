import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'

const brotli = promisify(brotliCompress)

/** The best compression takes half a minute a file, and packages for several processors hold the same ones. */
const CACHE = join('node_modules', '.cache', 'fitment-packaging')

/** Each file of the folder as `<name>.br` in its stead. */
export async function compressBelow(folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const names = await readdir(folder)
  await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name)
      await writeFile(`${path}.br`, await compressed(await readFile(path)))
      await rm(path)
    }),
  )
}

async function compressed(bytes: Buffer): Promise<Buffer> {
  const kept = join(CACHE, `${createHash('sha256').update(bytes).digest('hex')}.br`)
  const before = await readFile(kept).catch(() => undefined)
  if (before !== undefined) return before
  const made = await brotli(bytes, { params: paramsFor(bytes.length) })
  const draft = `${kept}.${process.pid}.tmp`
  await writeFile(draft, made)
  await rename(draft, kept)
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
