import type { OpenUnion } from './open-words.ts'

/** Text that this side wrote itself, or a person: what comes by the wire has bounds of its own (`parseJsonText`). @throws SyntaxError, ZodError */
export function parseJson<T>(schema: OpenUnion<T>, text: string): T {
  const { data, error } = schema.safeParse(readJson(text))
  if (error) throw error
  return data as T
}

/** @throws SyntaxError that says where, in words that do not depend on the engine's version */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SyntaxError(`it is no JSON${placeIn(text, cause)}`, { cause })
  }
}

/** Lines and columns from 1, as editors count them. */
function placeIn(text: string, cause: unknown): string {
  if (text.trim() === '') return ': it is empty'
  const [, at] = /position (\d+)/.exec(cause instanceof Error ? cause.message : '') ?? []
  if (at === undefined) return ': it ends too early, or begins with something else'
  const before = text.slice(0, Number(at)).split('\n')
  return `: line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1} does not belong there`
}

/** Deeper than any message of ours; a bound before JSON.parse, so that no parser's stack is the bound. */
const MAX_DEPTH = 16

const QUOTE = 0x22
const BACKSLASH = 0x5c

const utf8 = new TextDecoder('utf-8', { fatal: true })

export type JsonText =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: 'not-json' | 'too-deep' }

/** Bytes → JSON value. Never throws; the caller has bounded the size. */
export function parseJsonText(bytes: Uint8Array): JsonText {
  if (depthOf(bytes) > MAX_DEPTH) return { ok: false, code: 'too-deep' }
  try {
    return { ok: true, value: JSON.parse(utf8.decode(bytes)) }
  } catch {
    return { ok: false, code: 'not-json' }
  }
}

/** Deepest nesting of brackets outside strings. UTF-8 continuation bytes never look like ASCII. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number
    if (byte === QUOTE) at = endOfString(bytes, at)
    else if (isOpener(byte)) {
      depth += 1
      if (depth > deepest) deepest = depth
    } else if (isCloser(byte)) depth -= 1
  }
  return deepest
}

/** Of `[` and `{`, and of `]` and `}`: ASCII has them 32 apart. */
function isOpener(byte: number): boolean {
  return (byte & 0xdf) === 0x5b
}

function isCloser(byte: number): boolean {
  return (byte & 0xdf) === 0x5d
}

/** Where the quote is that ends what the quote here begins. */
function endOfString(bytes: Uint8Array, from: number): number {
  let at = from + 1
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at
}
