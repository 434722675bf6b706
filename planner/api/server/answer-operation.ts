import type { ServerResponse } from 'node:http'
import type { Call } from '../call/call.ts'
import { type ApiProgress, OPERATIONS, type OperationName } from '../contract/contract.ts'
import type { Problem } from '../contract/problems.ts'
import { type Caller, requireRole } from './callers.ts'
import type { Exchange } from './exchange.ts'
import { keyIn, once } from './idempotency.ts'
import { RUN } from './operations.ts'
import { DATA_POLICY, type Reply, sendJson } from './replies.ts'
import { inputOf } from './requests.ts'
import { routeOf } from './router.ts'

const LINES_TYPE = 'application/x-ndjson'

/** What an operation does, and its answer: one JSON value, or lines of progress before it where that is accepted. */
export async function answerOperation(
  exchange: Exchange,
  caller: Caller,
  told: (error: unknown) => Problem,
): Promise<void> {
  const { request, response, asked, planner } = exchange
  const found = routeOf(asked.method, asked.path)
  const { name, route } = found
  requireRole(caller, name, OPERATIONS[name].role)
  const { value, text } = await inputOf(found, asked, request)
  const lines = wantsLines(exchange, route.isLong === true) ? new Lines(response) : undefined
  const work = async (): Promise<Reply> => {
    const call = callOf(exchange, caller, (progress) => lines?.write({ progress }))
    return { status: route.status ?? 200, body: JSON.stringify(await run(name, value, call)) }
  }
  const key = route.method === 'POST' ? keyIn(request) : undefined
  try {
    const { db, now } = planner.conductor.context
    const asking = {
      caller: caller.actor,
      asked: [asked.method, asked.path, text],
      isSecret: route.isSecret === true,
    }
    const reply = key === undefined ? await work() : await once(db, key, asking, now(), work)
    if (lines === undefined) sendJson(request, response, reply)
    else lines.end(`{"result":${reply.body}}`, reply.status)
  } catch (error) {
    if (lines?.isBegun !== true) throw error
    lines.end(JSON.stringify({ problem: told(error) }), 200)
  }
}

function wantsLines({ request }: Exchange, isLong: boolean): boolean {
  return isLong && (request.headers.accept ?? '').includes(LINES_TYPE)
}

/** An answer line by line. Its status is sent with the first line: until then an error has its own. */
class Lines {
  readonly #response: ServerResponse
  #isBegun = false

  constructor(response: ServerResponse) {
    this.#response = response
  }

  get isBegun(): boolean {
    return this.#isBegun
  }

  write(value: unknown): void {
    this.#begin(200)
    this.#response.write(`${JSON.stringify(value)}\n`)
  }

  end(line: string, status: number): void {
    this.#begin(status)
    this.#response.end(`${line}\n`)
  }

  #begin(status: number): void {
    if (this.#isBegun) return
    this.#isBegun = true
    this.#response.setHeader('content-security-policy', DATA_POLICY)
    this.#response.setHeader('cache-control', 'no-store')
    this.#response.writeHead(status, { 'content-type': LINES_TYPE })
  }
}

function callOf(
  { planner, response }: Exchange,
  { actor }: Caller,
  progress: (progress: ApiProgress) => void,
): Call {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const { conductor, identity, info, operatorUrl } = planner
  return {
    ...{ actor, identity, info, conductor, progress },
    operatorUrl: operatorUrl(),
    context: conductor.context,
    signal: gone.signal,
  }
}

function run<K extends OperationName>(name: K, input: unknown, call: Call): Promise<unknown> {
  const operation = RUN[name] as (input: unknown, call: Call) => Promise<unknown>
  return operation(input, call)
}
