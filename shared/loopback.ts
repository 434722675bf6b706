import { UsageError } from './errors.ts'

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1|\[::1\])$/

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

/** Tokens and passwords leave a machine over TLS only. @param flag names the address @throws UsageError */
export function requireHttpsBeyondLoopback(url: string, flag: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'https:') return
  if (parsed?.protocol !== 'http:') {
    throw new UsageError(`${flag} "${url}" is no address: https://host[:port]`)
  }
  if (isLoopback(parsed.hostname)) return
  throw new UsageError(`${flag} ${url} has no TLS, and leaves this machine: use https://`)
}

/** MQTT leaves a machine over TLS only. @throws UsageError with what to do instead */
export function requireTlsBeyondLoopback(url: string, instead: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'mqtt:' || isLoopback(parsed.hostname)) return
  throw new UsageError(`${url} has no TLS, and leaves this machine: ${instead}`)
}
