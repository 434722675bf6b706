import { chmod, unlink } from 'node:fs/promises'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Logger } from 'pino'
import { AppError, messageOf, UsageError } from '../../shared/errors.ts'
import type { Conductor } from '../conductor/index.ts'
import { isAtLeast, type PlannerIdentity } from '../identity/index.ts'
import type { Call, PlannerInfo } from './call.ts'
import { OPERATIONS, type OperationName, operationNames, PATHS, type Role } from './contract.ts'
import { ApiError } from './errors.ts'
import { RUN } from './operations.ts'
import { listenForOperators, type OperatorListener, operatorOf } from './operator-listener.ts'

export interface ApiOptions {
  readonly conductor: Conductor
  readonly info: PlannerInfo
  /** Where to listen: a Unix socket, open to its owner only. */
  readonly socket: string
  readonly identity?: PlannerIdentity
  /** Where operators elsewhere ask, with TLS and a token of their own; absent: nowhere. */
  readonly listener?: OperatorListener
  readonly log: Logger
}

/** Who asks: everybody on the socket is its owner; from elsewhere, whoever the token names. */
interface Caller {
  readonly actor: string
  readonly role: Role
}

/** Uploads of models and data: part of adding a model. */
const UPLOAD_ROLE: Role = 'operator'

export interface Api {
  /** `https://host:port`, with a listener. */
  readonly operatorUrl?: string
  close(): Promise<void>
}

/** Names and numbers only: models and data are uploaded as artifacts. */
const MOST_INPUT_BYTES = 1024 * 1024

/**
 * The operator API: `POST /v1/operations/<name>` with JSON, answered line by line as NDJSON (progress, then
 * one result or error); `PUT /v1/artifacts` with bytes, answered with their digest.
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { identity, listener } = options
  const remote =
    identity && listener && (await listenForOperators(listener, identity, handlerFor('token')))
  function handlerFor(channel: 'socket' | 'token'): RequestListener {
    const operatorUrl = () => remote?.url
    return (request, response) => void answer({ options, channel, operatorUrl }, request, response)
  }
  const server = createServer({ requestTimeout: 0 }, handlerFor('socket'))
  // The database is held by this planner alone, so a socket that is there was left by one that was killed.
  await unlink(options.socket).catch(() => {})
  await listen(server, options.socket)
  await chmod(options.socket, 0o600)
  return {
    ...(remote && { operatorUrl: remote.url }),
    async close() {
      await Promise.all([close(server), remote?.close()])
    },
  }
}

interface Channel {
  readonly options: ApiOptions
  readonly channel: 'socket' | 'token'
  readonly operatorUrl: () => string | undefined
}

async function answer(
  { options, channel, operatorUrl }: Channel,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const line = (value: unknown) => response.write(`${JSON.stringify(value)}\n`)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  try {
    const caller = channel === 'socket' ? ownerOf(request) : await operatorOf(request, options)
    const call: Call = {
      actor: caller.actor,
      identity: options.identity,
      operatorUrl: operatorUrl(),
      conductor: options.conductor,
      context: options.conductor.context,
      info: options.info,
      progress: (progress) => line({ progress }),
      signal: gone.signal,
    }
    line({ result: await resultOf(request, call, caller) })
  } catch (error) {
    if (!gone.signal.aborted) line({ error: told(error, options.log) })
  }
  response.end()
}

async function resultOf(request: IncomingMessage, call: Call, caller: Caller): Promise<unknown> {
  const { method, url = '' } = request
  if (method === 'PUT' && url === PATHS.artifacts) {
    checkRole(caller, 'upload', UPLOAD_ROLE)
    return call.context.artifacts.putStream(request)
  }
  const name = operationNames.find((known) => url === `${PATHS.operations}${known}`)
  if (method !== 'POST' || name === undefined) {
    throw new UsageError(
      `the planner has no ${method} ${url}: are fitment and planner of one version?`,
    )
  }
  checkRole(caller, name, OPERATIONS[name].role)
  return run(name, await bodyOf(request), call)
}

function checkRole({ role, actor }: Caller, name: string, least: Role): void {
  if (isAtLeast(role, least)) return
  throw new ApiError(
    'forbidden',
    `${name} needs the role ${least}, and ${actor} has the role ${role}: ask an admin for a token`,
  )
}

async function run<K extends OperationName>(name: K, body: unknown, call: Call): Promise<unknown> {
  const parsed = OPERATIONS[name].input.safeParse(body)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((i) => `${i.path.join('.') || 'input'}: ${i.message}`)
    throw new UsageError(`${name}: ${problems.join('; ')}`)
  }
  const operation = RUN[name] as (input: unknown, call: Call) => Promise<unknown>
  return operation(parsed.data, call)
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > MOST_INPUT_BYTES) throw new UsageError('the input is too long')
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}')
  } catch {
    throw new UsageError('the input is not JSON')
  }
}

/** Who says it; on a socket that only its owner opens, the name is believed. */
function ownerOf(request: IncomingMessage): Caller {
  const said = request.headers['x-fitment-actor']
  const isName = typeof said === 'string' && /^[\w.@:-]{1,64}$/.test(said)
  return { actor: isName ? said : 'cli:unknown', role: 'admin' }
}

function told(error: unknown, log: Logger): { code: string; message: string } {
  if (error instanceof AppError) return { code: error.code, message: error.message }
  log.error({ error }, 'an operation failed')
  return { code: 'internal', message: messageOf(error) }
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, () => resolve())
  })
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
