import { execFile } from 'node:child_process'

/** What systemd told the process of itself: sd_notify(3), sd_watchdog_enabled(3). */
type Environment = Readonly<Record<string, string | undefined>>

/**
 * Tells systemd that the service is ready, and from then on that it lives: a process whose loop stands still is restarted.
 * Node opens no datagram sockets of the file system, so systemd-notify(1) speaks for it. Nothing is told where nobody asked.
 * @returns how to stop
 */
export function notifyReady(environment: Environment = process.env): () => void {
  if (!environment.NOTIFY_SOCKET) return () => {}
  tell('READY=1')
  const everyMs = Number(environment.WATCHDOG_USEC) / 1000
  const isOurs = !environment.WATCHDOG_PID || Number(environment.WATCHDOG_PID) === process.pid
  if (!(everyMs > 0) || !isOurs) return () => tell('STOPPING=1')
  // Three times in every span: one that is late kills nobody.
  const timer = setInterval(() => tell('WATCHDOG=1'), everyMs / 3).unref()
  return () => {
    clearInterval(timer)
    tell('STOPPING=1')
  }
}

function tell(state: string): void {
  execFile('systemd-notify', [state], () => {
    // Whether it was heard is systemd's to judge.
  })
}
