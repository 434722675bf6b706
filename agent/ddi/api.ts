import type { z } from 'zod'
import { retryAfterMs, whyNoAnswer } from '../../shared/http-answers.ts'
import { parseJsonText } from '../../shared/json.ts'
import { DdiError } from './errors.ts'

export interface DdiSettings {
  /** `https://host[:port][/path]`, without tenant. */
  readonly url: string
  readonly tenant: string
  /** `controllerId`: the name of this device at hawkBit. */
  readonly target: string
  /** Of this target alone, or of a gateway for all targets of the tenant. */
  readonly token: { readonly kind: 'TargetToken' | 'GatewayToken'; readonly secret: string }
}

const ANSWER_MS = 30_000
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** hawkBit's end for this device: one question, one answer, each with a limit. */
export class DdiApi {
  readonly #settings: DdiSettings
  readonly #leaving: AbortSignal

  constructor(settings: DdiSettings, leaving: AbortSignal) {
    this.#settings = settings
    this.#leaving = leaving
  }

  /** Where polling begins; everything else is a link in an answer. */
  get base(): string {
    const { url, tenant, target } = this.#settings
    const names = [tenant, 'controller', 'v1', target].map(encodeURIComponent)
    return `${url.replace(/\/+$/, '')}/${names.join('/')}`
  }

  /** @throws DdiError */
  async get<T>(url: string, schema: z.ZodType<T>): Promise<T> {
    const bytes = await this.bytes(url, MAX_ANSWER_BYTES)
    const json = parseJsonText(bytes)
    const parsed = schema.safeParse(json.ok ? json.value : undefined)
    if (parsed.success) return parsed.data
    throw new DdiError('hawkbit-answer', `${path(url)} answers otherwise than DDI describes it`)
  }

  /** @throws DdiError */
  async send(method: 'POST' | 'PUT', url: string, body: unknown): Promise<void> {
    const response = await this.#ask(url, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    await response.body?.cancel()
  }

  /** All of it, if it is no longer than that. @throws DdiError */
  async bytes(url: string, most: number): Promise<Uint8Array> {
    const response = await this.#ask(url, { headers: { accept: 'application/hal+json, */*' } })
    return await readBounded(response, most, url)
  }

  /**
   * Bytes `from` … `to`, both included, as they come. A server that knows no ranges sends the whole: then what lies
   * before is let go.
   * @throws DdiError
   */
  async *range(url: string, from: number, to: number): AsyncGenerator<Uint8Array> {
    const response = await this.#ask(url, { headers: { range: `bytes=${from}-${to}` } })
    let skipped = response.status === 206 ? 0 : from
    let wanted = to - from + 1
    try {
      for await (const part of response.body ?? []) {
        const bytes = part.subarray(skipped, skipped + wanted)
        skipped -= Math.min(skipped, part.length)
        wanted -= bytes.length
        if (bytes.length > 0) yield bytes
        if (wanted === 0) return
      }
    } catch (error) {
      throw unreachable(url, error)
    }
    if (wanted > 0) throw new DdiError('hawkbit-unreachable', `${path(url)} ends too early`)
  }

  async #ask(url: string, init: RequestInit): Promise<Response> {
    const { token } = this.#settings
    const authorization = `${token.kind} ${token.secret}`
    // Downloads may come from elsewhere: the token is the server's own.
    const isOwn = URL.canParse(url) && new URL(url).origin === new URL(this.#settings.url).origin
    const headers = { accept: 'application/hal+json', ...(isOwn && { authorization }) }
    const signal = AbortSignal.any([this.#leaving, AbortSignal.timeout(ANSWER_MS)])
    const response = await fetch(url, {
      ...init,
      headers: { ...headers, ...init.headers },
      signal,
    }).catch((error: unknown) => {
      throw unreachable(url, error)
    })
    if (response.ok) return response
    await response.body?.cancel().catch(() => {})
    throw refused(response, url, this.#settings)
  }
}

async function readBounded(response: Response, most: number, url: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for await (const part of response.body ?? []) {
      parts.push(part)
      length += part.length
      if (length > most) {
        throw new DdiError('hawkbit-answer', `${path(url)} sends more than ${most} bytes`)
      }
    }
  } catch (error) {
    throw error instanceof DdiError ? error : unreachable(url, error)
  }
  return Buffer.concat(parts)
}

function unreachable(url: string, error: unknown): DdiError {
  const host = URL.canParse(url) ? new URL(url).host : url
  const message = `hawkBit at ${host}: ${whyNoAnswer(error)}`
  return new DdiError('hawkbit-unreachable', message, undefined, error)
}

/** What is to be done about each status. */
function refused({ status, headers }: Response, url: string, { target, tenant }: DdiSettings) {
  const where = path(url)
  if (status === 401 || status === 403) {
    return new DdiError(
      'hawkbit-unauthorized',
      `hawkBit does not let ${target} of tenant ${tenant} in (${status}): check --hawkbit-token, and that this kind of token is enabled there`,
    )
  }
  if (status === 404 || status === 410) {
    return new DdiError('hawkbit-gone', `hawkBit has no ${where} (${status})`)
  }
  if (status === 429 || status >= 500) {
    return new DdiError(
      'hawkbit-busy',
      `hawkBit answers ${status}: asked again later`,
      retryAfterMs(headers),
    )
  }
  return new DdiError('hawkbit-answer', `hawkBit refuses ${where} with ${status}`)
}

function path(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url
}
