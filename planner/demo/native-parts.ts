import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { arch } from 'node:process'
import { promisify } from 'node:util'
import { ARCHITECTURES } from '../../shared/messages/index.ts'
import { findNative, readNativeTable } from '../../shared/native-paths/index.ts'
import { isOneOf } from '../../shared/open-words.ts'
import { demoFile } from './demo-file.ts'

/** What this machine has beside Node; null: it goes without. */
export interface NativeParts {
  /** A native LiteRT or TensorFlow Lite. */
  readonly library: string | null
  /** A delegate of our own, and the library that it was built for. */
  readonly standIn: { readonly library: string; readonly delegate: string } | null
}

/** In a checkout: what `test/native/fetch.sh` brings for the tests. */
const FETCHED = {
  library: 'litert-2.3/ai_edge_litert/libLiteRt.so',
  old: 'tflite-2.9/libtensorflowlite_c.so',
  headers: 'tflite-2.9/include',
} as const

/** @param dir where the delegate is built */
export async function nativeParts(dir: string): Promise<NativeParts> {
  const root = dirname(dirname(dirname(demoFile('motor-faults'))))
  const fetched = (name: keyof typeof FETCHED) => {
    const path = join(root, '.native-runtimes', FETCHED[name])
    return existsSync(path) ? path : null
  }
  const board = { architecture: isOneOf(ARCHITECTURES, arch) ? arch : 'other', accelerators: [] }
  const { libraries } = await findNative(await readNativeTable(), board)
  const installed = libraries.find(({ runtime }) => runtime === 'tflite')?.path ?? null
  const [old, headers] = [fetched('old'), fetched('headers')]
  const source = join(root, 'test', 'native', 'delegate.c')
  const delegate = old && headers && (await built(source, headers, join(dir, 'stand-in.so')))
  return {
    library: installed ?? fetched('library'),
    standIn: old && delegate ? { library: old, delegate } : null,
  }
}

/** Null without the source, or a compiler that takes it. */
async function built(source: string, headers: string, out: string): Promise<string | null> {
  if (!existsSync(source)) return null
  const words = ['-shared', '-fPIC', '-O2', '-I', headers, '-o', out, source]
  return promisify(execFile)('gcc', words).then(
    () => out,
    () => null,
  )
}
