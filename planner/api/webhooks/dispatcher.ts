import type { Logger } from 'pino'
import { messageOf } from '../../../shared/errors.ts'
import { repeatedly } from '../../../shared/repeatedly.ts'
import type { ConductorContext } from '../../conductor/index.ts'
import { type AuditEntry, events, type StoredWebhook, webhooks } from '../../storage/index.ts'
import type { FleetEvent } from '../contract/event-kinds.ts'
import { deliver } from './deliver.ts'
import { eventOf } from './events-of.ts'
import { afterFailure } from './patience.ts'

/** Who reads the audit, by this name. */
export const READER = 'webhooks'

const LOOK_MS = 1_000
const MOST_ENTRIES = 200
/** To one receiver in one look: the others have their turn. */
const MOST_AT_ONCE = 32
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const DELIVERED_KEPT_MS = 7 * DAY_MS
const MOST_DEAD = 10_000

interface Options {
  readonly context: Pick<ConductorContext, 'db' | 'now' | 'leads'>
  readonly fleet: string
  readonly log: Logger
}

/**
 * Tells receivers of events: from the audit, which outlives a crash, into deliveries, and from these, one receiver beside
 * the other, to whoever answers. A receiver that hangs holds up nobody but itself.
 */
export function startWebhooks(options: Options): { close(): Promise<void> } {
  const { context, log } = options
  const busy = new Map<string, Promise<void>>()
  let forgotAt = 0
  const work = repeatedly({
    everyMs: LOOK_MS,
    async look(stopping) {
      const { db, now, leads } = context
      // Of several planners one tells: receivers shall hear everything once.
      if (!leads()) return undefined
      const all = await webhooks.listWebhooks(db)
      if (all.length > 0) await readAudit(options, all)
      for (const hook of all) {
        if (busy.has(hook.name)) continue
        const served = serve(options, hook, stopping)
          .catch((error) =>
            log.warn({ webhook: hook.name, reason: messageOf(error) }, 'a webhook failed'),
          )
          .finally(() => busy.delete(hook.name))
        busy.set(hook.name, served)
      }
      if (now().getTime() - forgotAt < HOUR_MS) return undefined
      forgotAt = now().getTime()
      await webhooks.forgetDeliveries(db, new Date(forgotAt - DELIVERED_KEPT_MS), MOST_DEAD)
      return undefined
    },
    // Nothing is lost: the next look begins where this one was.
    failed: (reason) => log.warn({ reason }, 'webhooks cannot be served'),
  })
  return {
    async close() {
      await work.close()
      await Promise.all(busy.values())
    },
  }
}

/** Entries become deliveries, and the place moves on, in one transaction. */
async function readAudit(
  { context, fleet }: Options,
  all: readonly StoredWebhook[],
): Promise<void> {
  const { db, now } = context
  const place = (await events.placeOf(db, READER)) ?? (await events.lastAuditSeq(db))
  const entries = await events.auditAfter(db, place, MOST_ENTRIES)
  const last = entries.at(-1)
  if (last === undefined) return
  await db.transaction().execute(async (trx) => {
    for (const entry of entries) {
      const event = toldOf(entry, fleet)
      if (event === undefined) continue
      const { id, kind } = event
      const row = { id, kind, body: JSON.stringify(event), createdAt: now().toISOString() }
      for (const { name, kinds } of all) {
        if (kinds === null || kinds.includes(kind)) {
          await webhooks.addDelivery(trx, { ...row, webhook: name })
        }
      }
    }
    await events.setPlace(trx, READER, last.seq)
  })
}

function toldOf(entry: AuditEntry, fleet: string): FleetEvent | undefined {
  const event = eventOf(entry)
  if (event === undefined) return undefined
  // The same whenever the entry is read again, and another's in a database that was begun anew.
  const id = `evt_${entry.seq}_${Date.parse(entry.at)}`
  return { v: 1, id, kind: event.kind, fleet, at: entry.at, data: event.data }
}

/** What is due to one receiver, one after the other, until it fails. */
async function serve(
  { context, log }: Options,
  { name, url, secret }: StoredWebhook,
  stopping: AbortSignal,
): Promise<void> {
  const { db, now } = context
  for (const due of await webhooks.dueDeliveries(db, name, now(), MOST_AT_ONCE)) {
    const message = { id: due.id, body: due.body, at: now() }
    const { isTaken, text } = await deliver(url, secret, message, stopping)
    if (stopping.aborted) return
    const attempts = due.attempts + 1
    const next = isTaken
      ? { state: 'delivered' as const, nextAt: due.nextAt }
      : afterFailure(attempts, now())
    await webhooks.noteAttempt(db, due, { ...next, attempts, lastAnswer: text })
    if (next.state === 'dead') {
      log.warn(
        { webhook: name, event: due.id, answer: text },
        'an event was given up: see fitment webhooks dead',
      )
    }
    if (!isTaken) return
  }
}
