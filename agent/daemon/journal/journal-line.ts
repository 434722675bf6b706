import { crc32 } from 'node:zlib'

/** `<CRC-32, 8 hex digits> <JSON>\n`: a line that a power cut tore does not have its checksum. */
export function printLine(value: unknown): string {
  const json = JSON.stringify(value)
  return `${checksum(json)} ${json}\n`
}

/** `undefined` for a torn or spoiled line. */
export function parseLine(line: string): unknown {
  const json = line.slice(9)
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(json)) return undefined
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
