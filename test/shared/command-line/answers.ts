import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What came of one command line. */
export interface Answer {
  readonly code: number | null
  readonly err: string
}

/** Numbers that are none, or more than anything has. */
export const ABSURD: readonly string[] = [
  '1e999',
  '-1',
  'NaN',
  '0x10',
  'Infinity',
  '',
  ' ',
  '9'.repeat(400),
]

/** What may stand where a file is wanted, by what it is. */
export function places(dir: string): Readonly<Record<string, string>> {
  const at = (name: string) => join(dir, name)
  mkdirSync(at('folder'), { recursive: true })
  for (const [name, text] of [
    ['empty', ''],
    ['half.json', '{"a":'],
    ['other.json', '{"a":[1]}'],
    ['rust.npz', 'PK\u0003\u0004 rust'],
    ['rust.tflite', 'no model at all'],
    ['rust.onnx', '\u0007\u0007 no model at all'],
  ] as const) {
    writeFileSync(at(name), text)
  }
  symlinkSync('circle', at('circle'))
  return {
    'nothing there': at('absent'),
    'a folder': at('folder'),
    'a folder called as a model': foldersName(at('folder.tflite')),
    'below a file': at('empty/below'),
    'a circle of links': at('circle'),
    'a name too long': at('n'.repeat(300)),
    'an empty file': at('empty'),
    'half a text of JSON': at('half.json'),
    'JSON of something else': at('other.json'),
    'a damaged archive': at('rust.npz'),
    'no .tflite model': at('rust.tflite'),
    'no .onnx model': at('rust.onnx'),
  }
}

function foldersName(path: string): string {
  mkdirSync(path, { recursive: true })
  return path
}

/** Words of parsers, of the engine and of schema libraries: for who writes programs. */
const NOT_FOR_USERS = [
  /^ {4}at /m,
  /\[(?:internal|invariant)\]/,
  /Unexpected (?:token|end|non-whitespace)/,
  /in JSON at position/,
  /expected \w+, received/,
  /Invalid (?:input|option|string|key)/,
  /Too (?:big|small)/,
  /illegal (?:tag|buffer)|premature EOF|varint/i,
  /\b(?:Zod|Syntax|Type|Range|Reference)Error\b/,
  /\bundefined\b|\[object |\bNaN (?:ms|B|%)/,
  /E[A-Z]{3,}: /,
  /routines::/,
  /^error: /m,
]

/** What is wrong with how a command line was refused; `undefined`: nothing. */
export function faultOf({ code, err }: Answer): string | undefined {
  const lines = err.split('\n').filter((line) => line.startsWith('error'))
  if (code === 0) return lines.length === 0 ? undefined : `an error, and exit code 0: ${err}`
  if (code !== 1 && code !== 2) return `exit code ${code}: ${err}`
  const bad = NOT_FOR_USERS.find((words) => words.test(err))
  if (bad !== undefined) return `${bad}: ${err}`
  if (lines.length > 1) return `several errors: ${err}`
  const isUsage = /^error \[usage\]: /m.test(err)
  if (lines.length === 1 && isUsage !== (code === 2)) return `exit code ${code}: ${err}`
  return lines.every((line) => /^error \[[a-z-]+\]: .{8,}/.test(line)) ? undefined : err
}
