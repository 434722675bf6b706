import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { messageOf, reasonOf, UsageError } from '../../../shared/errors.ts'
import { parseJson } from '../../../shared/json.ts'
import {
  type ApiProgress,
  OPERATIONS,
  type OperationAnswer,
  type OperationInput,
  type OperationName,
  type OperationOutput,
  progressSchema,
} from '../contract/contract.ts'
import { ApiError, RemoteError } from '../contract/errors.ts'
import { MOST_ITEMS } from '../contract/paging.ts'
import { problemSchema } from '../contract/problems.ts'
import { OTHER_PATHS } from '../contract/routes.ts'
import { type ApiTransport, apiTransport } from './api-transport.ts'
import { requestFor } from './request-for.ts'

export interface PlannerClient {
  /**
   * Of a list all pages, or the first `limit` items where the input says so.
   * @throws ApiError `no-planner`, RemoteError with the planner's own code, UsageError
   */
  call<K extends OperationName>(
    name: K,
    input: CallInput<K>,
    onProgress?: (progress: ApiProgress) => void,
  ): Promise<OperationOutput<K>>
  /** One answer as it travels: of a list one page, with where the next begins. @throws as `call` */
  ask<K extends OperationName>(name: K, input: OperationInput<K>): Promise<OperationAnswer<K>>
  /**
   * Bytes of a file into the planner's store; answers their digest.
   * @param onSent told how many are on their way, of how many
   */
  upload(path: string, onSent?: (sent: number, of: number) => void): Promise<string>
  /** Bytes of a released file, as they come. */
  download(digest: string): Promise<AsyncIterable<Uint8Array>>
}

/** Pages are the client's own affair. */
export type CallInput<K extends OperationName> = Omit<OperationInput<K>, 'cursor'>

/**
 * The planner that runs on this data directory; with a token in FITMENT_TOKEN, the one elsewhere that the
 * token is for.
 */
export function connectPlanner(
  data: string,
  token: string | undefined = process.env.FITMENT_TOKEN,
): PlannerClient {
  const transport = apiTransport(data, token)
  async function ask(name: OperationName, input: object, onProgress: OnProgress): Promise<unknown> {
    const { method, path, body, accept } = requestFor(name, input)
    const headers = { accept, ...(body !== undefined && { 'content-type': 'application/json' }) }
    const sent = await transport.ask(method, path, headers)
    sent.end(body)
    const parsed = OPERATIONS[name].output.safeParse(await answerTo(sent, transport, onProgress))
    if (parsed.success) return parsed.data
    throw new ApiError(
      'broken-answer',
      `the planner answers ${name} in another form: are fitment and planner of one version?`,
    )
  }
  return {
    async call(name, input, onProgress = () => {}) {
      const operation = OPERATIONS[name]
      const answer = 'item' in operation ? allOf(name, input, ask) : ask(name, input, onProgress)
      return (await answer) as OperationOutput<typeof name>
    },
    async ask(name, input) {
      return (await ask(name, input, () => {})) as OperationAnswer<typeof name>
    },
    async upload(path, onSent = () => {}) {
      // Why a file cannot be read is said by who reads it.
      const { size } = await stat(path).catch(() => ({ size: 0 }))
      const type = { 'content-type': 'application/octet-stream', accept: 'application/json' }
      const sent = await transport.ask('POST', OTHER_PATHS.artifacts, type)
      const file = createReadStream(path)
      const broken = new Promise<never>((_, reject) => {
        file.once('error', (error) => {
          sent.destroy()
          reject(new UsageError(`cannot read ${path}: ${reasonOf(error)}`))
        })
      })
      file.on('data', () => onSent(file.bytesRead, size)).pipe(sent)
      const result = await Promise.race([answerTo(sent, transport, () => {}), broken])
      return uploadedSchema.parse(result).digest
    },
    async download(digest) {
      const accept = { accept: 'application/octet-stream, application/problem+json' }
      const sent = await transport.ask('GET', `${OTHER_PATHS.artifacts}/${digest}`, accept)
      sent.end()
      const response = await responseTo(sent, transport)
      if (response.statusCode !== 200) await wholeAnswer(response)
      return response as AsyncIterable<Uint8Array>
    },
  }
}

const uploadedSchema = z.object({ digest: z.string() })

type OnProgress = (progress: ApiProgress) => void
type Ask = (name: OperationName, input: object, onProgress: OnProgress) => Promise<unknown>

async function allOf(
  name: OperationName,
  input: { readonly limit?: number | undefined },
  ask: Ask,
): Promise<unknown[]> {
  const most = input.limit ?? Number.POSITIVE_INFINITY
  const items: unknown[] = []
  let cursor: string | null | undefined
  while (items.length < most && cursor !== null) {
    const limit = Math.min(MOST_ITEMS, most - items.length)
    const page = await ask(name, { ...input, limit, ...(cursor && { cursor }) }, () => {})
    const { items: more, next } = page as { items: unknown[]; next: string | null }
    items.push(...more)
    cursor = next
  }
  return items
}

const lineSchema = z.union([
  z.object({ progress: progressSchema }),
  z.object({ problem: problemSchema }),
  z.object({ result: z.unknown() }),
])

async function answerTo(
  sent: ClientRequest,
  transport: ApiTransport,
  onProgress: OnProgress,
): Promise<unknown> {
  const response = await responseTo(sent, transport)
  const isLines = (response.headers['content-type'] ?? '').startsWith('application/x-ndjson')
  try {
    if (!isLines) return await wholeAnswer(response)
    for await (const text of createInterface({ input: response })) {
      const line = parseJson(lineSchema, text)
      if ('progress' in line) onProgress(line.progress)
      else if ('problem' in line) throw thrown(line.problem)
      else return line.result
    }
  } catch (error) {
    if (isOurs(error)) throw error
  }
  throw new ApiError(
    'no-planner',
    'the planner went away before it answered: look at its log, then try again',
  )
}

function isOurs(error: unknown): boolean {
  return error instanceof RemoteError || error instanceof UsageError || error instanceof ApiError
}

async function wholeAnswer(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  if ((response.statusCode ?? 500) < 400) return parseJson(z.unknown(), text)
  throw thrown(parseJson(problemSchema, text))
}

function responseTo(sent: ClientRequest, transport: ApiTransport): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      const message = nobody
        ? `no planner runs on ${transport.place}: ${transport.advice}`
        : `cannot talk to the planner on ${transport.place}: ${messageOf(error)}`
      reject(new ApiError('no-planner', message, { place: transport.place }))
    })
  })
}

function thrown({ code, detail }: { code: string; detail: string }): Error {
  return code === 'usage' ? new UsageError(detail) : new RemoteError(code, detail)
}
