import { pipeline } from 'node:stream/promises'
import { AppError, messageOf } from '../../../shared/errors.ts'
import { ApiError } from '../contract/errors.ts'
import { type Problem, problemOf } from '../contract/problems.ts'
import { API, OTHER_PATHS } from '../contract/routes.ts'
import { documentText } from '../openapi/document.ts'
import { PAGE_POLICY, pageText } from '../openapi/page.ts'
import { readReleased, releasedName } from '../shipments/released-file.ts'
import { answerEvents } from './answer-events.ts'
import { answerOperation } from './answer-operation.ts'
import { type Caller, callerOf, requireRole } from './callers.ts'
import type { Exchange } from './exchange.ts'
import { DATA_POLICY, SAFE_HEADERS, sendJson, sendProblem } from './replies.ts'
import { MethodError, noSuchPath, routeOf } from './router.ts'
import { answerSession } from './sessions.ts'

/** Whatever is asked is answered, by a value or by a problem; nothing that a caller does throws further. */
export async function answer(exchange: Exchange): Promise<void> {
  const { response } = exchange
  for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value)
  response.on('error', () => {})
  const began = performance.now()
  response.once('close', () => {
    const seconds = (performance.now() - began) / 1000
    exchange.planner.requests.note(nameOf(exchange.asked), response.statusCode, seconds)
  })
  try {
    await dispatch(exchange)
  } catch (error) {
    if (response.destroyed || response.headersSent) response.destroy()
    else sendProblem(response, told(exchange, error), headersOf(error))
  }
}

/** What was asked, in one of few words. */
function nameOf({ method, path }: Exchange['asked']): string {
  if (Object.hasOwn(OTHERS, path)) return path.slice(path.lastIndexOf('/') + 1)
  if (method === 'GET' && releasedName(path) !== undefined) return 'artifact'
  if (!path.startsWith(`${API}/`)) return 'page'
  try {
    return routeOf(method, path).name
  } catch {
    return 'unknown'
  }
}

type Answer = (exchange: Exchange) => Promise<void> | void

/** What is no operation, by path and method. */
const OTHERS: Readonly<Record<string, Partial<Record<string, Answer>>>> = {
  [OTHER_PATHS.session]: { GET: answerSession, POST: answerSession, DELETE: answerSession },
  [OTHER_PATHS.artifacts]: { POST: upload },
  [OTHER_PATHS.events]: {
    GET: (exchange) => known(exchange, (_, caller) => answerEvents(exchange, caller)),
  },
  [OTHER_PATHS.openapi]: {
    GET: ({ request, response, planner }) =>
      sendJson(request, response, { status: 200, body: documentText(planner.info.version) }),
  },
  [OTHER_PATHS.docs]: { GET: answerDocs },
  [OTHER_PATHS.metrics]: { GET: answerMetrics },
}

async function dispatch(exchange: Exchange): Promise<void> {
  const { request, response, asked, planner } = exchange
  const { method, path } = asked
  const other = Object.hasOwn(OTHERS, path) ? OTHERS[path] : undefined
  const released = releasedName(path)
  if (other !== undefined) {
    const run = Object.hasOwn(other, method) ? other[method] : undefined
    if (run === undefined) throw new MethodError(method, path, Object.keys(other) as 'GET'[])
    await run(exchange)
  } else if (released !== undefined) {
    if (method !== 'GET') throw new MethodError(method, path, ['GET'])
    await download(exchange, released)
  } else if (path === API || path.startsWith(`${API}/`)) {
    await known(exchange, (_, caller) =>
      answerOperation(exchange, caller, (error) => told(exchange, error)),
    )
  } else if (planner.pages && method === 'GET' && !path.startsWith('/api/')) {
    planner.pages(request, response)
  } else {
    throw noSuchPath(method, path)
  }
}

/** Asks who it is first, and lets no one caller take all. */
async function known(
  exchange: Exchange,
  then: (exchange: Exchange, caller: Caller) => Promise<void>,
): Promise<void> {
  const { request, channel, planner } = exchange
  const caller = await callerOf(request, channel, planner.conductor.context)
  const leave = planner.turnstile.enter(caller.actor)
  try {
    await then(exchange, caller)
  } finally {
    leave()
  }
}

/** Bytes of models and data: naming what they are by what they hold, it is done once however often it is asked. */
function upload(exchange: Exchange): Promise<void> {
  return known(exchange, async ({ request, response, planner }, caller) => {
    requireRole(caller, 'upload', 'operator')
    const ref = await planner.conductor.context.artifacts.putStream(request)
    sendJson(request, response, { status: 201, body: JSON.stringify(ref) })
  })
}

/** A file that was released, for who brings it to devices by another way. */
function download(exchange: Exchange, digest: string): Promise<void> {
  return known(exchange, async ({ response, planner }, caller) => {
    requireRole(caller, 'download', 'operator')
    const { stream, bytes } = await readReleased(planner.conductor.context, digest)
    response.setHeader('content-security-policy', DATA_POLICY)
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes })
    await pipeline(stream, response)
  })
}

function answerDocs({ response, planner }: Exchange): void {
  response.setHeader('content-security-policy', PAGE_POLICY)
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
  response.end(pageText(planner.info.version))
}

async function answerMetrics(exchange: Exchange): Promise<void> {
  const { request, response, channel, planner } = exchange
  const isOpen = channel.kind === 'socket' || planner.metricsFor === 'everybody'
  if (!isOpen && planner.metricsFor === 'nobody') {
    throw new ApiError(
      'no-such-path',
      'this planner shows no metrics: start it with --metrics token',
    )
  }
  if (!isOpen) await callerOf(request, channel, planner.conductor.context)
  const text = await planner.metrics.text()
  response.setHeader('content-security-policy', DATA_POLICY)
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  response.end(text)
}

function told({ planner, asked }: Exchange, error: unknown): Problem {
  const { context } = planner.conductor
  if (context.stopping.aborted && !(error instanceof AppError)) {
    return problemOf(
      new ApiError('leaving', 'the planner is being stopped: ask again when it runs'),
    )
  }
  const problem = problemOf(error)
  if (problem.status === 500) {
    planner.log.error({ error, reason: messageOf(error), path: asked.path }, 'a request failed')
  }
  return problem
}

function headersOf(error: unknown): Record<string, string> {
  if (error instanceof MethodError) return { allow: error.allowed.join(', ') }
  if (!(error instanceof AppError)) return {}
  const { status } = problemOf(error)
  if (status === 401) return { 'www-authenticate': 'Bearer realm="fitment"' }
  return status === 429 || status === 503 ? { 'retry-after': '2' } : {}
}
