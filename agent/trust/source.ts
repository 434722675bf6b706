import { TrustError, type TrustLimits } from '../../shared/trust/index.ts'

/** Where one repository's metadata comes from: a message, the blocks of MQTT, HTTP. Nothing of it is believed. */
export interface MetadataSource {
  /**
   * The file in pieces, as they come; `null` where the repository has none of this name.
   * May throw, hang, trickle or never end: the reader has limits.
   */
  fetch(file: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | null>
}

/** A source over files that are here already. */
export function sourceOf(files: Readonly<Record<string, string | Uint8Array>>): MetadataSource {
  return {
    fetch: async (file) => {
      if (!Object.hasOwn(files, file)) return null
      return once(Buffer.from(files[file] ?? ''))
    },
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/**
 * The whole file, or `null` where there is none.
 * @throws TrustError `endless-data`, `slow-retrieval`, `drop-request`
 */
export async function fetchBounded(
  source: MetadataSource,
  file: string,
  maxBytes: number,
  deadline: Deadline,
): Promise<Buffer | null> {
  const parts: Uint8Array[] = []
  let bytes = 0
  const stop = new AbortController()
  try {
    return await deadline.race(
      () => late(file, bytes),
      async () => {
        const pieces = await source.fetch(file, stop.signal)
        if (!pieces) return null
        for await (const piece of pieces) {
          if (stop.signal.aborted) break
          bytes += piece.length
          if (bytes > maxBytes) {
            throw new TrustError(
              'endless-data',
              `${file} has more than the ${maxBytes} bytes it may have`,
            )
          }
          parts.push(piece)
        }
        return Buffer.concat(parts)
      },
    )
  } catch (error) {
    if (error instanceof TrustError) throw error
    throw new TrustError('drop-request', `${file} could not be fetched`, {}, { cause: error })
  } finally {
    stop.abort()
  }
}

/** Time for one refresh, and for each file of it. */
export class Deadline {
  readonly #limits: Pick<TrustLimits, 'fileMs' | 'refreshMs'>
  readonly #endsAt: number

  constructor(limits: Pick<TrustLimits, 'fileMs' | 'refreshMs'>) {
    this.#limits = limits
    this.#endsAt = performance.now() + limits.refreshMs
  }

  /** The result of `work`, or the error of `late` when time is up: the work may go on hanging. */
  async race<T>(late: () => Error, work: () => Promise<T>): Promise<T> {
    const left = Math.max(0, Math.min(this.#limits.fileMs, this.#endsAt - performance.now()))
    let timer: NodeJS.Timeout | undefined
    const expiry = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(late()), left)
    })
    const working = work()
    // What a hung source says after we left is nobody's business.
    working.catch(() => undefined)
    try {
      return await Promise.race([working, expiry])
    } finally {
      clearTimeout(timer)
    }
  }
}

function late(file: string, bytes: number): TrustError {
  return bytes === 0
    ? new TrustError('drop-request', `${file} was asked for and nothing came`)
    : new TrustError(
        'slow-retrieval',
        `${file} came so slowly that ${bytes} bytes were all there was in time`,
      )
}
