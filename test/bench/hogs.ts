import { type ChildProcess, spawn } from 'node:child_process'

/** Work that never ends and touches no memory, while something else is done. */
export async function beside<T>(count: number, work: () => Promise<T>): Promise<T> {
  const hogs: readonly ChildProcess[] = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' }),
  )
  try {
    return await work()
  } finally {
    for (const hog of hogs) hog.kill('SIGKILL')
  }
}
