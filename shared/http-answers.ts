import { reasonOf } from './errors.ts'

/** Why `fetch` got no answer, in one line. */
export function whyNoAnswer(error: unknown): string {
  const { name, cause } = error instanceof Error ? error : { name: '', cause: undefined }
  return name === 'TimeoutError' ? 'no answer came in time' : reasonOf(cause ?? error)
}

/** How long a server asks to be left alone, in seconds (RFC 9110, 10.2.3); undefined: it does not say so. */
export function retryAfterMs(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after'))
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined
}
