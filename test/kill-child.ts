import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** By SIGKILL, and is gone when it resolves; one that is gone already, or never was, is fine. */
export async function killChild(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
