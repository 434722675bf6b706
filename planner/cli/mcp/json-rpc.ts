import { z } from 'zod'
import { parseJsonText } from '../../../shared/json.ts'

/** JSON-RPC 2.0, as the Model Context Protocol uses it: one object a line. */
export const ERRORS = {
  parse: -32700,
  request: -32600,
  method: -32601,
  params: -32602,
  internal: -32603,
} as const

const idSchema = z.union([z.string(), z.number().int()])
export type RequestId = z.infer<typeof idSchema>

const messageSchema = z.object({
  jsonrpc: z.literal('2.0'),
  id: idSchema.optional(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()).optional(),
})

export interface Message {
  /** Absent: a notification, which nobody answers. */
  readonly id: RequestId | undefined
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** What is answered instead of a result. */
export class ProtocolError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** @throws ProtocolError; undefined for an answer, as nothing was asked of the client */
export function readMessage(line: Uint8Array): Message | undefined {
  const json = parseJsonText(line)
  if (!json.ok) throw new ProtocolError(ERRORS.parse, 'a message is one JSON object a line')
  if (Array.isArray(json.value)) {
    throw new ProtocolError(ERRORS.request, 'send one message a line: there are no batches')
  }
  if (isAnswer(json.value)) return undefined
  const message = messageSchema.safeParse(json.value)
  if (!message.success) {
    throw new ProtocolError(
      ERRORS.request,
      'a request has "jsonrpc": "2.0", a "method", an "id" that is a text or a whole number, and "params" that are an object',
    )
  }
  const { id, method, params = {} } = message.data
  return { id, method, params }
}

function isAnswer(value: unknown): boolean {
  const isObject = typeof value === 'object' && value !== null
  return isObject && !('method' in value) && ('result' in value || 'error' in value)
}

export function resultLine(id: RequestId, result: object): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`
}

/** @param id null where it could not be read */
export function errorLine(id: RequestId | null, { code, message }: ProtocolError): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } })}\n`
}
