import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { addAbortSignal, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { pauseMs } from '../../../../shared/backoff.ts'
import type { Digest } from '../../../../shared/digest.ts'
import type { AppError } from '../../../../shared/errors.ts'
import { requireHttpsBeyondLoopback } from '../../../../shared/loopback.ts'
import { type BucketLocation, printBucketLocation } from './location.ts'
import { type Patience, Pulse, USUAL_PATIENCE } from './patience.ts'
import { askedPause, isNoSuchKey, isPassing, refusalOf } from './refusals.ts'

const CONNECT_MS = 5_000
const nothing = () => {}
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }

/** Objects of one bucket, below one prefix. What passes is tried again; all else is one line. @throws StorageError */
export class ArtifactBucket {
  readonly name: string
  readonly #location: BucketLocation
  readonly #patience: Patience
  readonly #client: S3Client
  #failure: { readonly error: AppError; readonly at: number } | undefined

  /** @throws UsageError where bytes would leave this machine without TLS */
  constructor(location: BucketLocation, patience: Patience = USUAL_PATIENCE) {
    const endpoint = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL
    if (endpoint) requireHttpsBeyondLoopback(endpoint, 'AWS_ENDPOINT_URL_S3')
    this.#location = location
    this.#patience = patience
    this.name = printBucketLocation(location)
    // Which Node it runs on is said by our own package; the client's word on it would be four lines on standard error.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
    this.#client = new S3Client({
      // What answers for one bucket need not have a name for each, nor a certificate for all of them.
      forcePathStyle: true,
      // Bodies are streams, which the client does not begin again; and here it is known what is worth it.
      maxAttempts: 1,
      // Names are digests: what is sent is signed with it, and what comes is held against it.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_MS },
      // What fails is thrown, and said once by whoever it stopped.
      logger: SILENT,
    })
  }

  /** Durable when it resolves, as far as S3's word goes. S3 refuses bytes that came otherwise than they have this digest. */
  async put(key: string, file: string, digest: Digest): Promise<void> {
    const { size } = await stat(file)
    await this.#often(async (pulse) => {
      const body = Readable.from(pulse.counting(createReadStream(file)), { objectMode: false })
      // Once an answer has come, or none will, nobody else listens.
      body.on('error', () => {})
      const command = new PutObjectCommand({
        ...this.#named(key),
        Body: body,
        ContentLength: size,
      })
      command.middlewareStack.add(signedWith(digest), { step: 'build', name: 'signedWithDigest' })
      try {
        await this.#client.send(command, { abortSignal: pulse.signal })
      } finally {
        body.destroy()
      }
    })
  }

  /** Undefined when there is none. What takes the bytes is called anew with every try. */
  get<T>(
    key: string,
    take: (body: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T | undefined> {
    return this.#often(async (pulse) => {
      const command = new GetObjectCommand(this.#named(key))
      const answer = await this.#client.send(command, { abortSignal: pulse.signal }).catch(noneOf)
      if (answer === undefined) return undefined
      const body = answer.Body
      if (!(body instanceof Readable)) throw new Error('it answered without a body')
      addAbortSignal(pulse.signal, body)
      try {
        return await take(pulse.counting(body))
      } finally {
        body.destroy()
      }
    })
  }

  async has(key: string): Promise<boolean> {
    const command = new HeadObjectCommand(this.#named(key))
    const answer = await this.#often((pulse) =>
      this.#client.send(command, { abortSignal: pulse.signal }).catch(noneOf),
    )
    return answer !== undefined
  }

  async remove(key: string): Promise<void> {
    const command = new DeleteObjectCommand(this.#named(key))
    await this.#often((pulse) => this.#client.send(command, { abortSignal: pulse.signal }))
  }

  #named(key: string): { readonly Bucket: string; readonly Key: string } {
    const { bucket, prefix } = this.#location
    return { Bucket: bucket, Key: `${prefix}${key}` }
  }

  /** Once it was given up, each who asks has one try, until one succeeds; and none while it is left alone. */
  async #often<T>(work: (pulse: Pulse) => Promise<T>): Promise<T> {
    const { tries, restMs } = this.#patience
    const before = this.#failure
    if (before && performance.now() < before.at + restMs) throw before.error
    for (let failures = 1; ; failures += 1) {
      try {
        const result = await this.#once(work)
        this.#failure = undefined
        return result
      } catch (error) {
        if (!isPassing(error)) throw refusalOf(this.name, error)
        if (before !== undefined || failures >= tries) throw this.#givenUp(error)
        const asked = Math.min(askedPause(error), this.#patience.capMs)
        const pause = pauseMs(failures - 1, { ...this.#patience, random: Math.random })
        await sleep(Math.max(pause, asked))
      }
    }
  }

  async #once<T>(work: (pulse: Pulse) => Promise<T>): Promise<T> {
    const pulse = new Pulse(this.#patience)
    try {
      return await work(pulse)
    } catch (error) {
      throw pulse.signal.aborted ? pulse.signal.reason : error
    } finally {
      pulse.end()
    }
  }

  #givenUp(cause: unknown): AppError {
    const error = refusalOf(this.name, cause)
    this.#failure = { error, at: performance.now() }
    return error
  }
}

function noneOf(error: unknown): undefined {
  if (isNoSuchKey(error)) return undefined
  throw error
}

/** The body's digest in the signature: without it a stream is signed as anything. */
function signedWith(digest: Digest) {
  return <Input extends object, Output>(next: (args: Input) => Promise<Output>) =>
    (args: Input & { readonly request?: unknown }): Promise<Output> => {
      const { headers } = args.request as { headers: Record<string, string> }
      headers['x-amz-content-sha256'] = digest
      return next(args)
    }
}
