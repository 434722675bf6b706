import type { Logger } from 'pino'
import { z } from 'zod'
import { messageOf } from '../../shared/errors.ts'
import { parseJson } from '../../shared/json.ts'
import { SerialQueue } from '../../shared/serial-queue.ts'
import type { Notifier } from '../storage/index.ts'

const names = z.array(z.string()).readonly()

/** What the agenda of another planner has: names of what to look at. */
const dueSchema = z.object({
  everything: z.boolean().default(false),
  clocks: z.boolean().default(false),
  pipelines: z
    .array(z.object({ model: z.string(), class: z.string() }))
    .readonly()
    .default([]),
  devices: names.default([]),
  rollouts: names.default([]),
  releases: z.boolean().default(false),
  returns: z.boolean().default(false),
  packages: names.default([]),
})
type DueNotice = z.infer<typeof dueSchema>

export const NOTHING_DUE: DueNotice = dueSchema.parse({})

const noticeSchema = z.discriminatedUnion('kind', [
  /** Reports wait in the inbox. */
  z.object({ kind: z.literal('mail') }),
  /** For whoever leads. */
  z.object({ kind: z.literal('look'), due: dueSchema }),
  /** Orders wait for these devices. */
  z.object({ kind: z.literal('nudge'), devices: names }),
  /** Heavy work waits. */
  z.object({ kind: z.literal('jobs') }),
  /** Somebody new leads: orders of the one before may never have been told of. */
  z.object({ kind: z.literal('led') }),
  /** No longer believed, wherever they connect. */
  z.object({ kind: z.literal('revoked'), device: z.string(), serials: names }),
])
export type Notice = z.infer<typeof noticeSchema>

const envelopeSchema = z.object({ from: z.string(), notice: noticeSchema })

/** Names in one text; with 64 bytes each (`shared/ids.ts`) it stays below what NOTIFY takes. */
const NAMES_AT_ONCE = 80
/** What is said within so long goes together, ms. */
const GATHER_MS = 10

/**
 * Hints between planners of one database. Nothing depends on them but how soon something is seen: what is lost with a
 * process, the next look at everything finds. Names are gathered for a moment, so that a storm of births is a few texts.
 */
export class Notices {
  readonly #notifier: Notifier
  readonly #self: string
  readonly #log: Logger
  readonly #queue = new SerialQueue()
  #nudged = new Set<string>()
  #waiting: Notice[] = []
  #mail = false
  #timer: NodeJS.Timeout | undefined

  constructor(notifier: Notifier, self: string, log: Logger) {
    this.#notifier = notifier
    this.#self = self
    this.#log = log
  }

  /** What others say. */
  async listen(take: (notice: Notice) => void): Promise<void> {
    await this.#notifier.listen((text) => {
      try {
        const { from, notice } = parseJson(envelopeSchema, text)
        if (from !== this.#self) take(notice)
      } catch {
        // Of a newer planner: what it means, the sweep finds.
      }
    })
  }

  tell(notice: Notice): void {
    if (notice.kind === 'nudge') for (const device of notice.devices) this.#nudged.add(device)
    else if (notice.kind === 'mail') this.#mail = true
    else this.#waiting.push(notice)
    this.#timer ??= setTimeout(() => this.#send(), GATHER_MS)
  }

  /** All that was said has left. */
  async close(): Promise<void> {
    if (this.#timer) this.#send()
    await this.#queue.settled()
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const notices = this.#waiting.flatMap((notice) =>
      notice.kind === 'look' ? inPieces(notice.due) : [notice],
    )
    for (const devices of piecesOf([...this.#nudged])) notices.push({ kind: 'nudge', devices })
    if (this.#mail) notices.push({ kind: 'mail' })
    this.#waiting = []
    this.#nudged = new Set()
    this.#mail = false
    for (const notice of notices) {
      const text = JSON.stringify({ from: this.#self, notice })
      void this.#queue
        .run(() => this.#notifier.send(text))
        .catch((error) => this.#log.debug({ reason: messageOf(error) }, 'a hint was not sent'))
    }
  }
}

function inPieces(due: DueNotice): Notice[] {
  const { devices, packages, pipelines, rollouts, ...flags } = due
  const look = (part: Partial<DueNotice>): Notice => ({
    kind: 'look',
    due: { ...NOTHING_DUE, ...part },
  })
  return [
    ...(Object.values(flags).includes(true) ? [look(flags)] : []),
    ...piecesOf(devices).map((part) => look({ devices: part })),
    ...piecesOf(packages).map((part) => look({ packages: part })),
    ...piecesOf(rollouts).map((part) => look({ rollouts: part })),
    ...piecesOf(pipelines, NAMES_AT_ONCE / 4).map((part) => look({ pipelines: part })),
  ]
}

function piecesOf<T>(all: readonly T[], size = NAMES_AT_ONCE): T[][] {
  const pieces: T[][] = []
  for (let at = 0; at < all.length; at += size) pieces.push(all.slice(at, at + size))
  return pieces
}
