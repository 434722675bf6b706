import { createHash } from 'node:crypto'

/**
 * Spans as OTLP 1.x writes them in JSON (opentelemetry-proto, `trace/v1/trace.proto`; "OTLP/HTTP, JSON Protobuf
 * Encoding": identifiers in hex, 64-bit numbers as text, enumerations as numbers).
 */
export type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  /** ms since 1970. */
  readonly from: number
  readonly to: number
  readonly attributes: Attributes
  /** Why it failed; absent: it did not. */
  readonly error?: string | undefined
  /** Another span that this one follows from. */
  readonly links?: readonly Pick<Span, 'traceId' | 'spanId'>[]
}

/** 16 bytes in hex: the same for the same plan, however often it is told. */
export function traceIdOf(...words: readonly (string | number)[]): string {
  return digestOf(words).slice(0, 32)
}

/** 8 bytes in hex. */
export function spanIdOf(traceId: string, ...words: readonly (string | number)[]): string {
  return digestOf([traceId, ...words]).slice(0, 16)
}

function digestOf(words: readonly (string | number)[]): string {
  return createHash('sha256').update(words.join('\n')).digest('hex')
}

const INTERNAL = 1
const STATUS_OK = 1
const STATUS_ERROR = 2

/** The body of `POST /v1/traces` (`ExportTraceServiceRequest`). */
export function exportRequest(resource: Attributes, version: string, spans: readonly Span[]) {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: 'fitment', version }, spans: spans.map(printed) }],
      },
    ],
  }
}

function printed(span: Span) {
  const { traceId, spanId, parentSpanId, name, from, to, attributes, error, links } = span
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: INTERNAL,
    startTimeUnixNano: nanos(from),
    endTimeUnixNano: nanos(Math.max(from, to)),
    attributes: attributesOf(attributes),
    ...(links !== undefined && { links }),
    status: error === undefined ? { code: STATUS_OK } : { code: STATUS_ERROR, message: error },
  }
}

function nanos(ms: number): string {
  return `${BigInt(Math.round(ms)) * 1_000_000n}`
}

function attributesOf(attributes: Attributes) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === null || value === undefined ? [] : [{ key, value: anyValue(value) }],
  )
}

function anyValue(value: string | number | boolean) {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isInteger(value) ? { intValue: `${value}` } : { doubleValue: value }
}
