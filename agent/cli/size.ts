import { UsageError } from '../../shared/errors.ts'

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kib: 2 ** 10,
  kb: 1e3,
  m: 2 ** 20,
  mib: 2 ** 20,
  mb: 1e6,
  g: 2 ** 30,
  gib: 2 ** 30,
  gb: 1e9,
}

/** `64MiB`, `1.5 GiB`, `200MB` (decimal), `65536` → bytes. @throws UsageError */
export function parseSize(text: string): number {
  const [, number, unit = ''] = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*$/i.exec(text) ?? []
  const factor = UNITS[unit.toLowerCase()]
  const bytes = Math.floor(Number(number) * (factor ?? Number.NaN))
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw new UsageError(`"${text}" is no size: use bytes, or a number with KiB, MiB or GiB`, {
    text,
  })
}
