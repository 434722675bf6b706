import type { ChildProcess } from 'node:child_process'

/** A child that was started `detached`, and all that it started and that is left of that. */
export function killGroup({ pid }: Pick<ChildProcess, 'pid'>): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left in it.
  }
}
