import stringWidth from 'string-width'

/** ASCII that prints, and the signs that tables of ours are full of: one column each. */
const PLAIN = /^[\u0020-\u007e—–…−×°‰→]*$/

export function isPlain(text: string): boolean {
  return PLAIN.test(text)
}

/** Columns of a terminal that a text takes. Nearly all of it is plain, and looking at graphemes costs a hundred times as much. */
export function widthOf(text: string): number {
  return isPlain(text) ? text.length : stringWidth(text)
}
