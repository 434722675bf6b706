import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { lacks, nativePath } from './runtimes.ts'

/** For tap's `skip`: why the test delegates cannot be built here, or false. */
export function lacksDelegates(): string | false {
  const headers = lacks('tfliteHeaders') || lacks('tflite')
  if (headers) return headers
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' })
    return false
  } catch {
    return 'no gcc to build the test delegates with'
  }
}

export interface TestDelegates {
  /** Takes convolutions; fails as its options say. */
  readonly conv: string
  /** Takes nothing. */
  readonly idle: string
}

/** Our own delegates, standing in for accelerators: delegate.c built into the folder. */
export function buildDelegates(folder: string): TestDelegates {
  const build = (name: string, ...flags: string[]) => {
    const out = join(folder, `lib${name}_delegate.so`)
    const source = join(process.cwd(), 'test', 'native', 'delegate.c')
    const include = ['-I', nativePath('tfliteHeaders')]
    execFileSync('gcc', ['-shared', '-fPIC', '-O2', ...flags, ...include, '-o', out, source])
    return out
  }
  return { conv: build('conv'), idle: build('idle', '-DIDLE') }
}
