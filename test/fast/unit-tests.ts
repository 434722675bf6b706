import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What takes a test beyond a unit: processes, threads, brokers, databases, runtimes. */
const OUTSIDE: ReadonlySet<string> = new Set([
  'node:child_process',
  'node:worker_threads',
  'node:http',
  'node:https',
  'aedes',
  'mqtt',
  'libsql',
  'pg',
  'onnxruntime-node',
  '@litertjs/core',
])

/** They try for long what mostly holds. */
const LONG = /\bfuzz\b/

const STATIC = /(?:\bfrom|\bimport) *'([^']+)'/g
const ANY = /(?:\bfrom|\bimport\(|\bimport) *'([^']+)'/g

/** What runtimes import when first asked for is reached by who asks. */
const RUNTIMES = /\bdist\/shared\/runtime\//
const ASKS = /\bawait (?:loadRuntime|loadInProcess|loadNative)\(|\bnew InferencePool\(/

/** Compiled test files below a folder which neither themselves nor by any import reach outside: no list to keep. */
export function unitTests(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js') && !LONG.test(file))
    .map((file) => join(folder, file))
    .filter((file) => !reachesOutside(file))
    .sort()
}

function reachesOutside(test: string): boolean {
  const files = new Set([test])
  // A set grows while it is walked.
  for (const file of files) {
    const source = readFileSync(file, 'utf8')
    const ofRuntimes = RUNTIMES.test(file)
    if (ASKS.test(source) && !ofRuntimes) return true
    for (const [, imported = ''] of source.matchAll(ofRuntimes ? STATIC : ANY)) {
      if (OUTSIDE.has(imported)) return true
      const path = join(dirname(file), imported)
      if (imported.startsWith('.') && path.endsWith('.js') && existsSync(path)) files.add(path)
    }
  }
  return false
}
