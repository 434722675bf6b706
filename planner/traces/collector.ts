import { UsageError } from '../../shared/errors.ts'
import { whyNoAnswer } from '../../shared/http-answers.ts'

const ANSWER_MS = 10_000

export interface Collector {
  /** `http://collector:4318`, or the whole address with `/v1/traces`. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** `key=value,key2=value2` as OTEL_EXPORTER_OTLP_HEADERS has it. @throws UsageError */
export function collectorOf(url: string, headers = ''): Collector {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new UsageError(`--traces "${url}" is no address: http://collector:4318`)
  }
  if (!parsed.pathname.endsWith('/v1/traces')) {
    parsed.pathname = `${parsed.pathname.replace(/\/+$/, '')}/v1/traces`
  }
  const pairs = headers.split(',').flatMap((pair) => {
    const [, key, value] = /^\s*([^=\s]+)\s*=(.*)$/.exec(pair) ?? []
    return key === undefined || value === undefined ? [] : [[key, decoded(value.trim())]]
  })
  return { url: `${parsed}`, headers: Object.fromEntries(pairs) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What became of a request: taken, refused for good, or to be tried again. */
export type Taken =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused' | 'later'; readonly why: string }

/** Status of "retryable" answers, OTLP/HTTP 1.x. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504])

export async function send(
  { url, headers }: Collector,
  body: unknown,
  stopping: AbortSignal,
): Promise<Taken> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([stopping, AbortSignal.timeout(ANSWER_MS)]),
    })
    await response.body?.cancel()
    if (response.ok) return { kind: 'taken' }
    const why = `it answers ${response.status}`
    return { kind: PASSING.has(response.status) ? 'later' : 'refused', why }
  } catch (error) {
    return { kind: 'later', why: whyNoAnswer(error) }
  }
}
