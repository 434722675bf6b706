import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { PROBLEM_TYPE, type Problem } from '../contract/problems.ts'

/** On everything that leaves, pages included: nothing is guessed, framed, or told to other sites. */
export const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const

/** Answers of the API are data: a browser that shows one runs nothing of it. */
export const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"

export interface Reply {
  readonly status: number
  readonly body: string
}

/** A value as JSON, with a tag by which who asks again learns that nothing changed (RFC 9110 8.8.3). */
export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body }: Reply,
): void {
  response.setHeader('content-security-policy', DATA_POLICY)
  response.setHeader('cache-control', 'no-cache')
  if (request.method === 'GET' || request.method === 'HEAD') {
    const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    response.setHeader('etag', tag)
    if (isAmong(tag, request.headers['if-none-match'])) {
      response.writeHead(304)
      response.end()
      return
    }
  }
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(body)
}

export function sendProblem(
  response: ServerResponse,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.setHeader('content-security-policy', DATA_POLICY)
  response.setHeader('cache-control', 'no-store')
  response.writeHead(problem.status, { 'content-type': PROBLEM_TYPE, ...headers })
  response.end(JSON.stringify(problem))
}

/** Weak comparison, as If-None-Match wants it. */
function isAmong(tag: string, named: string | undefined): boolean {
  if (named === undefined) return false
  return named.split(',').some((one) => ['*', tag, `W/${tag}`].includes(one.trim()))
}
