import { createHmac } from 'node:crypto'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { errnoOf, oneLine } from '../../../shared/errors.ts'
import { VERSION } from '../../../shared/version.ts'

/** From the first byte out to the status in: a receiver that takes longer took nothing. */
const TIMEOUT_MS = 10_000

export interface Message {
  readonly id: string
  readonly body: string
  readonly at: Date
}

export interface Answer {
  readonly isTaken: boolean
  /** One line for people. */
  readonly text: string
}

/**
 * Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body, so that a receiver knows who speaks and that it is no echo
 * of old. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * @param secret `whsec_` and 32 bytes in base64
 */
export function signatureHeaders(secret: string, { id, body, at }: Message) {
  const timestamp = String(Math.floor(at.getTime() / 1000))
  const key = Buffer.from(secret.slice(secret.indexOf('_') + 1), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
}

/**
 * Hands a message to a receiver. Of what it answers only the status is read; it is not followed elsewhere, and not
 * waited for beyond the limit.
 */
export function deliver(
  url: string,
  secret: string,
  message: Message,
  stopping: AbortSignal,
): Promise<Answer> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  const body = Buffer.from(message.body)
  return new Promise((resolve) => {
    const sent = request(url, {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        'user-agent': `fitment/${VERSION}`,
        ...signatureHeaders(secret, message),
      },
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), stopping]),
    })
    sent.once('response', (response) => {
      const status = response.statusCode ?? 0
      response.destroy()
      resolve({ isTaken: status >= 200 && status < 300, text: `HTTP ${status}` })
    })
    sent.once('error', (error) => resolve({ isTaken: false, text: wordsFor(error) }))
    sent.end(body)
  })
}

function wordsFor(error: Error): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return `no answer within ${TIMEOUT_MS / 1000} s`
  }
  return oneLine(`${errnoOf(error) ?? error.message}`).slice(0, 200)
}
