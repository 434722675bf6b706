import { z } from 'zod'
import { AppError, messageOf, oneLine, UsageError } from '../../../shared/errors.ts'
import { VERSION } from '../../../shared/version.ts'
import type { PlannerClient } from '../../api/index.ts'
import { askTool, toolInput } from './ask-tool.ts'
import {
  ERRORS,
  errorLine,
  type Message,
  ProtocolError,
  type RequestId,
  readMessage,
  resultLine,
} from './json-rpc.ts'
import { linesOf } from './lines.ts'
import { TOOLS, toolList } from './tools.ts'

/** Of the Model Context Protocol; a client that speaks another decides whether it goes on. */
export const PROTOCOL_VERSION = '2025-06-18'

const MOST_LINE_BYTES = 1024 * 1024
/** Further requests wait. */
const MOST_AT_ONCE = 8

const INSTRUCTIONS =
  'Reads a Fitment fleet: devices by class, models with the evidence behind each chosen variant, rollouts, health, audit. Nothing can be changed here. Lists are pages: give "next" back as cursor.'

/** The channel of one client: what it says, and where answers go. */
export interface Channel {
  readonly input: AsyncIterable<Uint8Array>
  write(line: string): void
}

/** Answers one client until it says no more; whatever it says is answered, and never ends the server. */
export async function serveClient(planner: PlannerClient, channel: Channel): Promise<void> {
  const working = new Set<Promise<void>>()
  const asked = new Set<RequestId>()
  const cancelled = new Set<RequestId>()
  for await (const line of linesOf(channel.input, MOST_LINE_BYTES)) {
    const work = answerLine(line).finally(() => working.delete(work))
    working.add(work)
    if (working.size >= MOST_AT_ONCE) await Promise.race(working)
  }
  await Promise.all(working)

  async function answerLine(line: Uint8Array | undefined): Promise<void> {
    let id: RequestId | undefined
    try {
      if (line === undefined) {
        throw new ProtocolError(ERRORS.request, `a message has at most ${MOST_LINE_BYTES} bytes`)
      }
      const message = readMessage(line)
      if (message === undefined) return
      id = message.id
      if (id === undefined) return note(message)
      asked.add(id)
      const result = await resultOf(planner, message)
      if (!cancelled.delete(id)) channel.write(resultLine(id, result))
    } catch (error) {
      channel.write(errorLine(id ?? null, protocolError(error)))
    } finally {
      if (id !== undefined) asked.delete(id)
    }
  }

  function note({ method, params }: Message): void {
    const requestId = params.requestId as RequestId
    if (method === 'notifications/cancelled' && asked.has(requestId)) cancelled.add(requestId)
  }
}

const METHODS: Readonly<
  Record<string, (planner: PlannerClient, params: Message['params']) => Promise<object>>
> = {
  initialize: async () => ({
    protocolVersion: PROTOCOL_VERSION,
    capabilities: { tools: {} },
    serverInfo: { name: 'fitment', title: 'Fitment', version: VERSION },
    instructions: INSTRUCTIONS,
  }),
  ping: async () => ({}),
  'tools/list': async () => ({ tools: toolList() }),
  'tools/call': callTool,
}

async function resultOf(planner: PlannerClient, { method, params }: Message): Promise<object> {
  const answer = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined
  if (answer === undefined) {
    const known = Object.keys(METHODS).join(', ')
    throw new ProtocolError(ERRORS.method, `there is no method "${method.slice(0, 80)}": ${known}`)
  }
  return answer(planner, params)
}

const callSchema = z.object({
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()).default({}),
})

/** What the planner refuses is told to the model, as it may ask better; what is no call, to the client. */
async function callTool(planner: PlannerClient, params: Message['params']): Promise<object> {
  const call = callSchema.safeParse(params)
  if (!call.success) {
    throw new ProtocolError(ERRORS.params, 'tools/call takes a "name" and "arguments", an object')
  }
  const { name, arguments: given } = call.data
  const tool = Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined
  if (tool === undefined) {
    const known = Object.keys(TOOLS).join(', ')
    throw new ProtocolError(ERRORS.params, `there is no tool "${name.slice(0, 80)}": ${known}`)
  }
  const input = readInput(name, () => toolInput(tool, given))
  try {
    return { content: [{ type: 'text', text: await askTool(planner, tool, input) }] }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const text = `error [${error.code}]: ${oneLine(error.message)}`
    return { content: [{ type: 'text', text }], isError: true }
  }
}

function readInput(name: string, read: () => object): object {
  try {
    return read()
  } catch (error) {
    const problems =
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => `${path.join('.') || 'arguments'}: ${message}`)
        : error instanceof UsageError
          ? [error.message]
          : undefined
    if (problems === undefined) throw error
    throw new ProtocolError(ERRORS.params, oneLine(`${name}: ${problems.join('; ')}`))
  }
}

function protocolError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error
  return new ProtocolError(ERRORS.internal, oneLine(messageOf(error)))
}
