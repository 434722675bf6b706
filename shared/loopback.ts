import { UsageError } from './errors.ts'

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1|\[::1\])$/

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

/** MQTT leaves a machine over TLS only. @throws UsageError with what to do instead */
export function requireTlsBeyondLoopback(url: string, instead: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'mqtt:' || isLoopback(parsed.hostname)) return
  throw new UsageError(`${url} has no TLS, and leaves this machine: ${instead}`)
}
