import { request } from 'node:http'
import { pino } from 'pino'
import type { Test } from 'tap'
import { socketPath } from '../../../planner/api/index.ts'
import { documentOf } from '../../../planner/api/openapi/document.ts'
import { type ApiOptions, startApi } from '../../../planner/api/server/server.ts'
import { addOperator, openPlannerIdentity, type Role } from '../../../planner/identity/index.ts'
import { parseOperatorToken } from '../../../shared/identity/index.ts'
import { openPlanner } from '../conductor/scripted-fleet.ts'
import { type Schema, violations } from './json-schema.ts'

export const INFO = {
  version: '0.1.0',
  fleet: 'default',
  broker: 'mqtt://127.0.0.1:1883',
  database: 'fitment.db',
  trust: 'sha256:x',
}

export interface Asked {
  readonly body?: unknown
  /** Sent as it is. */
  readonly raw?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly body: never
}

type Place = { readonly socketPath: string } | { readonly host: string; readonly port: number }

/** A planner whose API is asked over its socket, and without TLS over TCP. Every answer is held to the document. */
export async function httpPlanner(t: Test, over: Partial<ApiOptions> = {}) {
  const data = t.testdir({})
  const planner = await openPlanner(data)
  t.teardown(planner.close)
  const { db, now } = planner.conductor.context
  const log = pino({ level: 'silent' })
  const identity = await openPlannerIdentity({
    ...{ data, db, fleet: 'default', log, names: [], days: 30, memberBroker: undefined, now },
  })
  t.teardown(() => identity.close())
  const socket = socketPath(data)
  const listener = { host: '127.0.0.1', port: 0, name: '127.0.0.1', isPlain: true }
  const { conductor } = planner
  const api = await startApi({ conductor, info: INFO, socket, identity, listener, log, ...over })
  t.teardown(api.close)
  const url = new URL(api.operatorUrl ?? '')
  const remote = { host: url.hostname, port: Number(url.port) }
  return {
    ...{ data, planner, socket, remote, url, api },
    ask: (method: string, path: string, asked: Asked = {}) =>
      ask({ socketPath: socket }, method, path, asked),
    askRemote: (method: string, path: string, asked: Asked = {}) =>
      ask(remote, method, path, asked),
    /** The whole token of a new operator. */
    async token(name: string, role: Role, lifetimeMs: number | null = null) {
      const place = { planner: url.origin, authority: identity.authority.pin }
      return addOperator(db, place, { name, role, lifetimeMs, by: 'cli:tester' }, now())
    },
  }
}

export function bearer(token: string): { readonly authorization: string } {
  const secret = Buffer.from(parseOperatorToken(token).secret).toString('base64url')
  return { authorization: `Bearer ${secret}` }
}

export async function ask(
  place: Place,
  method: string,
  path: string,
  { body, raw, headers = {} }: Asked,
): Promise<Answered> {
  const text = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const answered = await new Promise<Answered>((resolve, reject) => {
    const sent = request({ ...place, method, path, agent: false, headers: { ...type, ...headers } })
    sent.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const whole = Buffer.concat(chunks).toString('utf8')
        const isJson = /json$/.test(response.headers['content-type'] ?? '')
        const value = isJson && whole !== '' ? JSON.parse(whole) : undefined
        const status = response.statusCode ?? 0
        resolve({ status, headers: response.headers, text: whole, body: value as never })
      })
    })
    // The planner may stop reading before all is sent.
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error)
    })
    sent.end(text)
  })
  holdToDocument(method, path, answered)
  return answered
}

const DOCUMENT = documentOf(INFO.version) as Schema & {
  readonly paths: Record<string, Record<string, Schema>>
}

/** Status, kind and shape of an answer stand in the document; what it has no route for is a problem. */
function holdToDocument(method: string, path: string, { status, headers, body }: Answered): void {
  const [bare = ''] = path.split('?')
  const way = (method === 'HEAD' ? 'GET' : method).toLowerCase()
  const routes = Object.entries(DOCUMENT.paths).filter(([template]) => isAt(template, bare))
  const operation = routes.map(([, methods]) => methods[way]).find((found) => found !== undefined)
  const where = `${method} ${bare} → ${status}`
  if (operation === undefined) {
    if (bare.startsWith('/api/') && status !== 404 && status !== 405 && status !== 401)
      throw new Error(`${where} is in no document`)
    return
  }
  const responses = operation.responses as Record<
    string,
    { content?: Record<string, { schema: Schema }> }
  >
  const documented = responses[String(status)]
  if (documented === undefined) throw new Error(`${where} is not documented`)
  const type = String(headers['content-type'] ?? '').split(';')[0] ?? ''
  if (documented.content === undefined || method === 'HEAD') return
  const content = documented.content[type]
  if (content === undefined) throw new Error(`${where} as "${type}" is not documented`)
  if (!type.endsWith('json')) return
  const found = violations(content.schema, body, DOCUMENT)
  if (found.length > 0) throw new Error(`${where}: ${found.slice(0, 5).join('; ')}`)
}

function isAt(template: string, path: string): boolean {
  const parts = template.split('/')
  const segments = path.split('/')
  return (
    parts.length === segments.length &&
    parts.every(
      (part, index) => part === segments[index] || (part.startsWith('{') && segments[index]),
    )
  )
}
