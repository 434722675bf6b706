import { readFile } from 'node:fs/promises'
import { DataFolderError } from '../errors.ts'
import { type LabelledBox, type LabelSet, stemOf } from './label-set.ts'

/** `file,label` a line, or `file,class,left,top,right,bottom` in pixels of the image; a first line of words is a heading. */
export async function readCsv(path: string): Promise<LabelSet> {
  const rows = (await readFile(path, 'utf8')).split(/\r?\n/).flatMap((line, i) => {
    const [file = '', ...rest] = line
      .split(',')
      .map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
    return file === '' ? [] : [{ name: stemOf(file), values: rest.map(numberOf), line: i + 1 }]
  })
  const isHeading = rows[0]?.values.every(Number.isNaN) === true
  const named = isHeading ? rows.slice(1) : rows
  const columns = named[0]?.values.length ?? 0
  const odd = named.find(({ values }) => values.length !== columns || values.some(Number.isNaN))
  if (odd !== undefined || (columns !== 1 && columns !== 5)) {
    throw new DataFolderError(
      'wrong-labels',
      `${path}, line ${odd?.line ?? 1}: give file,label or file,class,left,top,right,bottom, the same on every line, in numbers`,
      { path },
    )
  }
  const names = new Set(named.map(({ name }) => name))
  if (columns === 1) {
    const values = new Map(named.map(({ name, values: [value] }) => [name, value]))
    return { kind: 'values', names, of: (name) => values.get(name) }
  }
  const boxes = new Map<string, LabelledBox[]>()
  for (const row of named) {
    const placed = boxes.get(row.name) ?? []
    placed.push(boxOf(row))
    boxes.set(row.name, placed)
  }
  return { kind: 'boxes', names, of: (name) => boxes.get(name) ?? [] }
}

function numberOf(text: string): number {
  return text === '' ? Number.NaN : Number(text)
}

function boxOf({ values }: { readonly values: readonly number[] }): LabelledBox {
  const [label = 0, left = 0, top = 0, right = 0, bottom = 0] = values
  return { label, left, top, right, bottom, crowd: false }
}
