import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { retryAfterMs, whyNoAnswer } from '../../shared/http-answers.ts'
import { type JsonText, parseJsonText } from '../../shared/json.ts'
import { HawkbitError } from './errors.ts'

export interface ManagementSettings {
  /** `https://host[:port][/path]`, without `/rest/v1`. */
  readonly url: string
  /** `user`, or `TENANT\user`. */
  readonly user: string
  readonly password: string
}

const ANSWER_MS = 30_000
const UPLOAD_MS = 600_000
/** Tries of one question that the server is too busy for. */
const MOST_TRIES = 5
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000

/** `ExceptionInfo` of hawkBit. */
const problemSchema = z.object({ errorCode: z.string().optional(), message: z.string().optional() })

/**
 * Questions to hawkBit's Management API (eclipse-hawkbit/hawkbit, `hawkbit-mgmt-api`), each with a limit. One that the
 * server is too busy for is asked again, as late as it wants.
 */
export class ManagementApi {
  readonly #base: string
  readonly #authorization: string
  readonly #user: string

  constructor({ url, user, password }: ManagementSettings) {
    this.#base = `${url.replace(/\/+$/, '')}/rest/v1`
    this.#user = user
    this.#authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  }

  /** @param query FIQL @throws HawkbitError */
  async find<T>(path: string, query: string, item: z.ZodType<T>, sort = 'id:DESC'): Promise<T[]> {
    const words = new URLSearchParams({ q: query, limit: '100', sort })
    const answer = await this.#ask('GET', `${path}?${words}`)
    return read(z.object({ content: z.array(item) }), answer, path).content
  }

  async get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return read(schema, await this.#ask('GET', path), path)
  }

  async send<T>(
    method: 'POST' | 'PUT',
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const json = { type: 'application/json', text: JSON.stringify(body) }
    return read(schema, await this.#ask(method, path, json), path)
  }

  /** `multipart/form-data` (RFC 7578) as it comes, so that memory does not grow with the file. */
  async upload(
    path: string,
    file: { readonly name: string; readonly sha256: string },
    open: () => Promise<AsyncIterable<Uint8Array>>,
  ): Promise<void> {
    const boundary = `fitment-${randomBytes(12).toString('hex')}`
    const words = new URLSearchParams({ filename: file.name, sha256sum: file.sha256 })
    const part = `Content-Disposition: form-data; name="file"; filename="${file.name}"`
    const head = `--${boundary}\r\n${part}\r\nContent-Type: application/octet-stream\r\n\r\n`
    async function* whole() {
      yield Buffer.from(head)
      yield* await open()
      yield Buffer.from(`\r\n--${boundary}--\r\n`)
    }
    const type = `multipart/form-data; boundary=${boundary}`
    await this.#ask('POST', `${path}?${words}`, { type, stream: whole })
  }

  async #ask(method: string, path: string, body?: Body): Promise<unknown> {
    for (let tries = 1; ; tries += 1) {
      const { ok, status, pauseMs, bytes } = await this.#once(method, path, body)
      if (status === 429 || status >= 500) {
        if (tries < MOST_TRIES) {
          await sleep(Math.min(LONGEST_PAUSE_MS, pauseMs ?? FIRST_PAUSE_MS * 2 ** (tries - 1)))
          continue
        }
        const message = `hawkBit answers ${status} to ${path.split('?')[0]}, ${MOST_TRIES} times: try again later`
        throw new HawkbitError('hawkbit-busy', message, status)
      }
      const json = parseJsonText(bytes)
      if (!ok) throw this.#refusal(status, path, json)
      if (json.ok) return json.value
      if (bytes.length === 0) return undefined
      const where = path.split('?')[0]
      throw new HawkbitError(
        'hawkbit-answer',
        `${where} answers no JSON: is that a hawkBit server?`,
      )
    }
  }

  /** One question and its whole answer. */
  async #once(method: string, path: string, body?: Body) {
    const isUpload = body !== undefined && 'stream' in body
    const init = {
      method,
      headers: {
        authorization: this.#authorization,
        accept: 'application/json, application/hal+json',
        ...(body && { 'content-type': body.type }),
      },
      ...(body && { body: isUpload ? ReadableStream.from(body.stream()) : body.text }),
      ...(isUpload && { duplex: 'half' }),
      signal: AbortSignal.timeout(isUpload ? UPLOAD_MS : ANSWER_MS),
    }
    try {
      const response = await fetch(`${this.#base}${path}`, init as RequestInit)
      const bytes = new Uint8Array(await response.arrayBuffer())
      const { ok, status, headers } = response
      return { ok, status, pauseMs: retryAfterMs(headers), bytes }
    } catch (error) {
      const message = `cannot talk to hawkBit at ${this.#base}: ${whyNoAnswer(error)}`
      throw new HawkbitError('hawkbit-unreachable', message, undefined, error)
    }
  }

  #refusal(status: number, path: string, json: JsonText): HawkbitError {
    const where = path.split('?')[0]
    if (status === 401 || status === 403) {
      return new HawkbitError(
        'hawkbit-unauthorized',
        `hawkBit does not let ${this.#user} do that (${status} to ${where}): check --user and FITMENT_HAWKBIT_PASSWORD`,
        status,
      )
    }
    const problem = problemSchema.safeParse(json.ok ? json.value : undefined)
    const said = problem.success ? (problem.data.message ?? problem.data.errorCode) : undefined
    if (status === 404 && said === undefined) {
      const message = `there is no ${where} below ${this.#base}: is --url the address of hawkBit, without /rest?`
      return new HawkbitError('hawkbit-not-there', message, status)
    }
    const message = `hawkBit refuses ${where} (${status}): ${said ?? 'it does not say why'}`
    return new HawkbitError('hawkbit-refused', message, status)
  }
}

type Body =
  | { readonly type: string; readonly text: string }
  | { readonly type: string; readonly stream: () => AsyncIterable<Uint8Array> }

function read<T>(schema: z.ZodType<T>, answer: unknown, path: string): T {
  const { data, success } = schema.safeParse(answer)
  if (success) return data
  throw new HawkbitError(
    'hawkbit-answer',
    `${path.split('?')[0]} answers otherwise than hawkBit's Management API describes it`,
  )
}
