import type { z } from 'zod'
import { parseJsonText } from '../json.ts'
import { fieldOf, type OpenUnion } from '../open-words.ts'
import { type Birth, birthSchema, type Death, deathSchema } from './birth.ts'
import { type BlockFrame, MAX_BLOCK_FRAME_BYTES, parseBlockFrame } from './block-frame.ts'
import { type HeardOrder, ORDERS, type Order } from './orders.ts'
import { type HeardReport, REPORTS, type Report } from './reports.ts'
import { type Channel, type DeviceTopic, parseTopic } from './topics.ts'
import { type Want, wantSchema } from './want.ts'

/** What each channel carries as this version says it. */
interface Said {
  birth: Birth
  death: Death
  orders: Order
  reports: Report
  want: Want
}

/** What each channel brings, from ends of other versions too: the map that every union of messages is derived from. */
export interface Payloads extends Omit<Said, 'orders' | 'reports'> {
  orders: HeardOrder
  reports: HeardReport
  blocks: BlockFrame
  samples: BlockFrame
}

export type MessageOf<C extends Channel> = {
  readonly channel: C
  readonly fleet: string
  readonly device: string
  readonly payload: Payloads[C]
}
export type Message = { [C in Channel]: MessageOf<C> }[Channel]

/** Why bytes are no message, a vocabulary for logs and for `fitment devices`. */
export type MessageRefusalCode =
  | 'unknown-topic'
  | 'too-large'
  | 'too-deep'
  | 'not-json'
  | 'unknown-version'
  | 'invalid'

export interface MessageRefusal {
  readonly code: MessageRefusalCode
  /** One line, free of the sender's bytes beyond a short quote. */
  readonly message: string
  /** Where the topic is one of ours: who sent it, on which channel. */
  readonly topic: DeviceTopic | undefined
}

export type ParsedMessage =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly refusal: MessageRefusal }

const KIB = 1024

/** Largest payload of each channel, bytes: checked before anything reads it. */
export const MAX_MESSAGE_BYTES: Readonly<Record<Channel, number>> = {
  birth: 128 * KIB,
  death: KIB,
  orders: 64 * KIB,
  reports: 64 * KIB,
  want: KIB,
  blocks: MAX_BLOCK_FRAME_BYTES,
  samples: MAX_BLOCK_FRAME_BYTES,
}

type Refused = Pick<MessageRefusal, 'code' | 'message'>
type Parsed<T> =
  | { readonly ok: true; readonly payload: T }
  | { readonly ok: false; readonly refused: Refused }
type PayloadParser<T> = (bytes: Uint8Array) => Parsed<T>

const PARSERS: { readonly [C in Channel]: PayloadParser<Payloads[C]> } = {
  birth: jsonParser(birthSchema),
  death: jsonParser(deathSchema),
  orders: jsonParser(ORDERS),
  reports: jsonParser(REPORTS),
  want: jsonParser(wantSchema),
  blocks: parseBlock,
  samples: parsePlainBlock,
}

/** The one edge where MQTT bytes become typed values. Never throws; open-words.ts says what becomes of what is not known. */
export function parseMessage(topic: string, bytes: Uint8Array): ParsedMessage {
  const parsed = parseTopic(topic)
  if (parsed === undefined) {
    const message = `topic ${quote(topic)} is none of fit/1/<fleet>/d/<device>/<channel>`
    return { ok: false, refusal: { code: 'unknown-topic', message, topic: undefined } }
  }
  return parsePayload(parsed, bytes)
}

/** The same where the topic was parsed before. */
export function parsePayload(topic: DeviceTopic, bytes: Uint8Array): ParsedMessage {
  const { fleet, device, channel } = topic
  const limit = MAX_MESSAGE_BYTES[channel]
  if (bytes.length > limit) {
    const message = `${bytes.length} bytes on ${channel}, where at most ${limit} are allowed`
    return { ok: false, refusal: { code: 'too-large', message, topic } }
  }
  const result = PARSERS[channel](bytes)
  if (!result.ok) return { ok: false, refusal: { ...result.refused, topic } }
  // The record PARSERS ties channel and payload together, which the compiler cannot follow through an index.
  return { ok: true, message: { fleet, device, channel, payload: result.payload } as Message }
}

/** Bytes of a control message; block frames are printed by `printBlockFrame`. */
export function printMessage<C extends keyof Said>(_channel: C, payload: Said[C]): Buffer {
  return Buffer.from(JSON.stringify(payload))
}

function jsonParser<T>(schema: OpenUnion<T>): PayloadParser<T> {
  return (bytes) => {
    const text = parseJsonText(bytes)
    if (!text.ok) {
      const message =
        text.code === 'not-json' ? 'the bytes are no JSON text' : 'JSON nested too deep'
      return { ok: false, refused: { code: text.code, message } }
    }
    const parsed = schema.safeParse(text.value)
    if (parsed.success) return { ok: true, payload: parsed.data }
    return { ok: false, refused: refusalOf(text.value, parsed.error) }
  }
}

function refusalOf(value: unknown, error: z.ZodError): Refused {
  const v = fieldOf(value, 'v')
  if (typeof v === 'number' && v !== 1) {
    return { code: 'unknown-version', message: `version ${v} of the message; this end speaks 1` }
  }
  const issue = error.issues[0]
  const where = issue?.path.map(String).join('.') || 'the message'
  return {
    code: 'invalid',
    message: `${quote(where)}: ${issue?.message ?? 'not as the schema says'}`,
  }
}

function parseBlock(bytes: Uint8Array): Parsed<BlockFrame> {
  const frame = parseBlockFrame(bytes)
  if (frame !== undefined) return { ok: true, payload: frame }
  return { ok: false, refused: { code: 'invalid', message: 'the bytes are no block frame' } }
}

/** Devices pack nothing: nobody asked them to. */
function parsePlainBlock(bytes: Uint8Array): Parsed<BlockFrame> {
  const parsed = parseBlock(bytes)
  if (!parsed.ok || parsed.payload.packing === undefined) return parsed
  return {
    ok: false,
    refused: { code: 'invalid', message: 'a packed block that nobody asked for' },
  }
}

/** Bounded and printable, whatever a device sent. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
