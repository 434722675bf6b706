import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))
const TIMEOUT_MS = 120_000

/** `fitment-agent renew` as a process of its own: what it loads, the daemon need not keep. Rejects with its last line. */
export function renewInProcess(stateDir: string, leaving: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [MAIN, 'renew', '--state-dir', stateDir],
      { timeout: TIMEOUT_MS, signal: leaving },
      (error, _stdout, stderr) => {
        if (error === null) resolve()
        else reject(new Error(stderr.trim().split('\n').at(-1) || error.message))
      },
    )
  })
}
