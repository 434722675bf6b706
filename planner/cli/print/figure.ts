import { isPlain } from './width.ts'

/** A number in a table: sorted and handed to machines by its value, shown to people in its unit. */
export interface Figure {
  readonly value: number
  readonly text: string
}

export type Cell = string | Figure

/** Stands where there is nothing to say. */
export const NONE = '—'

/** A value in a table; — where there is none. */
export function cell<T>(value: T | null | undefined, print: (value: T) => string): Cell {
  if (value === null || value === undefined) return NONE
  return typeof value === 'number' ? { value, text: print(value) } : print(value)
}

/** As people read it, on one line; what a device or a file named may not steer a terminal. */
export function shown(one: Cell): string {
  const text = typeof one === 'string' ? one : one.text
  if (isPlain(text)) return text
  return text.replace(/[\t-\r]+/g, ' ').replace(/\p{Cc}|\p{Cf}/gu, '�')
}
