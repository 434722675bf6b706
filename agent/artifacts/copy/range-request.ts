import { once } from 'node:events'
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { messageOf, reasonOf } from '../../../shared/errors.ts'
import { isLoopback } from '../../../shared/loopback.ts'
import { CopyError } from './errors.ts'

const MOST_REDIRECTS = 3
/** Longest `Retry-After` that is obeyed, ms. */
const MOST_RETRY_MS = 3_600_000

/** What this device shows where it is asked who it is, PEM. */
export interface ShownCertificate {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

export interface Range {
  readonly from: number
  /** Included. */
  readonly to: number
  /** Of the whole file. */
  readonly bytes: number
}

/** An answer whose body has not been read. */
export interface RangeAnswer {
  /** Where in the file the body begins, and where it ends: a server that knows no ranges sends all of it. */
  readonly from: number
  readonly to: number
  readonly body: IncomingMessage
}

/** Connections to one server and where it leads to, kept open from one range to the next. */
export class RangeClient {
  readonly #start: URL
  readonly #shown: ShownCertificate | undefined
  readonly #tls: TlsAgent
  readonly #plain = new PlainAgent({ keepAlive: true, maxSockets: 1 })

  constructor(start: URL, shown: ShownCertificate | undefined) {
    this.#start = start
    this.#shown = shown
    this.#tls = new TlsAgent({ keepAlive: true, maxSockets: 1 })
  }

  close(): void {
    this.#tls.destroy()
    this.#plain.destroy()
  }

  /** @throws CopyError; whatever aborts `signal` ends the body too */
  async ask(path: string, range: Range, signal: AbortSignal): Promise<RangeAnswer> {
    let url = new URL(this.#start)
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
      const response = await this.#get(url, range, signal)
      const next = redirectOf(response, url)
      if (next === undefined) return answerOf(response, range)
      response.destroy()
      if (next.protocol !== 'https:' && !isSameLoopback(next, this.#start)) {
        throw new CopyError(`leads to ${next.origin}, which has no TLS`)
      }
      url = next
    }
    throw new CopyError(`leads on more than ${MOST_REDIRECTS} times`)
  }

  async #get(url: URL, { from, to }: Range, signal: AbortSignal): Promise<IncomingMessage> {
    const headers = { range: `bytes=${from}-${to}`, 'accept-encoding': 'identity' }
    // Who this device is, is told to the server that the planner named, and to no other.
    const shown = url.origin === this.#start.origin ? this.#shown : undefined
    const asked =
      url.protocol === 'https:'
        ? tlsRequest(url, { agent: this.#tls, headers, signal, ...shown })
        : plainRequest(url, { agent: this.#plain, headers, signal })
    // What becomes of an answer is the body's to say.
    asked.on('error', () => {})
    asked.end()
    try {
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      return response
    } catch (error) {
      throw brokenOff(error)
    }
  }
}

/** A connection that could not be made, or did not last. */
export function brokenOff(error: unknown): CopyError {
  return new CopyError(reasonOf(error) || messageOf(error), { isCut: true })
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, url: URL): URL | undefined {
  if (statusCode < 301 || statusCode > 308 || headers.location === undefined) return undefined
  if (URL.canParse(headers.location, url.href)) return new URL(headers.location, url)
  throw new CopyError('leads to an address that is none')
}

/** Plain HTTP never leaves this machine, and is not gone over to from TLS. */
function isSameLoopback(next: URL, start: URL): boolean {
  return next.protocol === 'http:' && start.protocol === 'http:' && isLoopback(next.hostname)
}

function answerOf(response: IncomingMessage, { from, to, bytes }: Range): RangeAnswer {
  const { statusCode = 0, headers } = response
  try {
    if (statusCode !== 200 && statusCode !== 206) {
      throw new CopyError(`answers ${statusCode}`, { retryAfterMs: retryAfterMs(headers) })
    }
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new CopyError(`answers in the encoding ${headers['content-encoding']}`)
    }
    const said = statusCode === 206 ? headers['content-range'] : headers['content-length']
    const expected = statusCode === 206 ? `bytes ${from}-${to}/${bytes}` : String(bytes)
    if (said !== undefined && said.replace('/*', `/${bytes}`) !== expected) {
      throw new CopyError(`answers another range or size: ${said.slice(0, 60)}`)
    }
    return statusCode === 206
      ? { from, to, body: response }
      : { from: 0, to: bytes - 1, body: response }
  } catch (error) {
    response.destroy()
    throw error
  }
}

function retryAfterMs(headers: IncomingMessage['headers']): number {
  const seconds = Number(headers['retry-after'])
  return seconds > 0 ? Math.min(seconds * 1000, MOST_RETRY_MS) : 0
}
