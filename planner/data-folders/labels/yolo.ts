import { readdir, readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { DataFolderError } from '../errors.ts'
import type { ImageSize, LabelledBox, LabelSet } from './label-set.ts'

/** A text file an image: lines of class, centre x, centre y, width and height, as shares of the image's sides. */
export async function readYolo(folder: string): Promise<LabelSet> {
  const files = (await readdir(folder)).filter((file) => extname(file) === '.txt')
  const rows = new Map<string, number[][]>()
  for (const file of files) {
    const name = basename(file, '.txt')
    // Others that lie there: names of classes, lists of files.
    if (name === 'classes' || name === 'preprocessing') continue
    const path = join(folder, file)
    rows.set(name, parse(await readFile(path, 'utf8'), path))
  }
  return {
    kind: 'boxes',
    names: new Set(rows.keys()),
    of: (name, size) => (rows.get(name) ?? []).map((row) => boxOf(row, size)),
  }
}

function parse(text: string, path: string): number[][] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return []
    const row = line.trim().split(/\s+/).map(Number)
    const [label = -1, ...shares] = row
    const fits =
      shares.length >= 4 && shares.slice(0, 4).every((one) => one >= -0.01 && one <= 1.01)
    if (Number.isInteger(label) && label >= 0 && fits) return [row]
    throw new DataFolderError(
      'wrong-labels',
      `${path}, line ${i + 1}: "${line.trim().slice(0, 60)}" is not class, centre x, centre y, width, height, the last four as shares of the image`,
      { path, line: i + 1 },
    )
  })
}

function boxOf(row: readonly number[], { width, height }: ImageSize): LabelledBox {
  const [label = 0, x = 0, y = 0, w = 0, h = 0] = row
  return {
    label,
    left: (x - w / 2) * width,
    top: (y - h / 2) * height,
    right: (x + w / 2) * width,
    bottom: (y + h / 2) * height,
    crowd: false,
  }
}
