const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** A byte that is not UTF-8 travels as the lone surrogate U+DC00 + byte, as in PEP 383. */
const ESCAPE = 0xdc00
const LONE_ESCAPE = /(?<![\ud800-\udbff])[\udc80-\udcff]/

/** UTF-8, losslessly: a string with invalid bytes decodes bytewise and encodes back to the same bytes. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    const units = Uint16Array.from(bytes, (byte) => (byte < 0x80 ? byte : ESCAPE + byte))
    return Buffer.from(units.buffer).toString('utf16le')
  }
}

export function encodeText(text: string): Uint8Array {
  if (!LONE_ESCAPE.test(text)) return encoder.encode(text)
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) bytes.push(code - ESCAPE)
    else bytes.push(...encoder.encode(character))
  }
  return Uint8Array.from(bytes)
}
