/** A figure in a table; — where there is none. */
export function cell<T>(value: T | null | undefined, print: (value: T) => string): string {
  return value === null || value === undefined ? '—' : print(value)
}
