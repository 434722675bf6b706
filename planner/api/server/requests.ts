import type { IncomingMessage } from 'node:http'
import { messageOf } from '../../../shared/errors.ts'
import { OPERATIONS, type OperationName } from '../contract/contract.ts'
import { ApiError, ShapeError } from '../contract/errors.ts'
import { queryParameter } from '../contract/query-parameters.ts'
import type { Found } from './router.ts'

/** Names and numbers only: models and data are uploaded as artifacts. */
const MOST_INPUT_BYTES = 1024 * 1024

/** A request's path and query, as they came: nothing is normalized. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
}

export function askedBy({ method = 'GET', url = '/' }: IncomingMessage): Asked {
  const cut = url.indexOf('?')
  const [path, query] = cut < 0 ? [url, ''] : [url.slice(0, cut), url.slice(cut + 1)]
  return { method: method === 'HEAD' ? 'GET' : method, path, query: new URLSearchParams(query) }
}

/** The body with its text, for who must know whether it is the same again. */
export interface Input {
  readonly value: unknown
  readonly text: string
}

/** @throws ApiError `malformed`, `too-long`, `not-json`; ShapeError field by field */
export async function inputOf(
  { name, route, fields }: Found,
  { query }: Asked,
  request: IncomingMessage,
): Promise<Input> {
  const isRead = route.method === 'GET' || route.method === 'DELETE'
  const text = isRead ? '' : await textOf(request)
  const given = isRead ? readQuery(name, fields, query) : objectIn(text, query)
  const parsed = OPERATIONS[name].input.safeParse({ ...given, ...typed(fields) })
  if (parsed.success) return { value: parsed.data, text }
  throw new ShapeError(
    name,
    parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  )
}

/** What stands in a path is read as it would be in a query. */
function typed(fields: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, text]) => [name, queryParameter(name).read(text)]),
  )
}

function readQuery(
  name: OperationName,
  fields: Readonly<Record<string, string>>,
  query: URLSearchParams,
): Record<string, unknown> {
  const known = Object.keys(OPERATIONS[name].input.shape).filter((key) => !(key in fields))
  const wrong: { path: string; message: string }[] = []
  const input: Record<string, unknown> = {}
  for (const [key, text] of query) {
    if (!known.includes(key)) {
      wrong.push({
        path: key,
        message: `no parameter here; there are: ${known.join(', ') || 'none'}`,
      })
    } else if (Object.hasOwn(input, key)) wrong.push({ path: key, message: 'given twice' })
    else {
      try {
        input[key] = queryParameter(key).read(text)
      } catch (error) {
        wrong.push({ path: key, message: messageOf(error) })
      }
    }
  }
  if (wrong.length > 0) throw new ShapeError(name, wrong)
  return input
}

function objectIn(text: string, query: URLSearchParams): Record<string, unknown> {
  const [stray] = query.keys()
  if (stray !== undefined) {
    throw new ShapeError('query', [{ path: stray, message: 'goes into the JSON body' }])
  }
  const value = text === '' ? {} : jsonIn(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new ShapeError('body', [{ path: '', message: 'a JSON object is wanted' }])
}

/** @throws ApiError `malformed` */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ApiError('malformed', 'the input is not JSON')
  }
}

/** @throws ApiError `not-json`, `too-long` */
export async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_INPUT_BYTES) {
      throw new ApiError('too-long', 'the input is too long: 1 MiB is the most; files are uploaded')
    }
    chunks.push(chunk)
  }
  if (bytes > 0 && !isJson(request.headers['content-type'])) {
    throw new ApiError('not-json', 'the body is wanted as Content-Type: application/json')
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isJson(type: string | undefined): boolean {
  return /^application\/json\s*(;|$)/i.test(type ?? '')
}
