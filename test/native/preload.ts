import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** For tap's `skip`: why nothing can be put between a process and its libc here, or false. */
export function lacksCompiler(): string | false {
  return spawnSync('gcc', ['--version']).status === 0 ? false : 'no gcc to build what is preloaded'
}

/** `<name>.c` of this folder as a library for LD_PRELOAD, built into the folder given. */
export function preloadOf(name: string, folder: string, ...flags: string[]): string {
  const out = join(folder, `${name}.so`)
  const source = join(process.cwd(), 'test', 'native', `${name}.c`)
  execFileSync('gcc', ['-shared', '-fPIC', '-O2', ...flags, '-o', out, source, '-ldl'])
  return out
}
