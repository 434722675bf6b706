import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { isLoopback } from '../../../shared/loopback.ts'
import { audit, events, type StoredDelivery, webhooks } from '../../storage/index.ts'
import type { Call } from '../call/call.ts'
import type { OperationAnswer, OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import { cutAt, parseCursor, USUAL_ITEMS } from '../contract/paging.ts'
import type { DeliveryView, WebhookView } from '../contract/webhook-views.ts'
import { READER } from './dispatcher.ts'

const SECRET_BYTES = 32
const MOST_WEBHOOKS = 32

export async function listWebhooks(
  _: OperationInput<'webhooks.list'>,
  { context }: Call,
): Promise<OperationOutput<'webhooks.list'>> {
  const counts = await webhooks.countByState(context.db)
  return (await webhooks.listWebhooks(context.db)).map((hook) => viewOf(hook, counts))
}

/** @throws ApiError `bad-address`, `webhook-exists` */
export async function addWebhook(
  { name, url, kinds }: OperationInput<'webhooks.add'>,
  { context, actor }: Call,
): Promise<OperationOutput<'webhooks.add'>> {
  const { db, now } = context
  requireAddress(url)
  const at = now()
  const hook = {
    ...{ name, url, kinds: kinds ?? null, createdBy: actor, createdAt: at.toISOString() },
    secret: `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`,
  }
  await db.transaction().execute(async (trx) => {
    const known = await webhooks.listWebhooks(trx)
    if (known.length >= MOST_WEBHOOKS) {
      throw new ApiError(
        'too-many',
        `there are ${known.length} webhooks, which is the most: remove one first`,
      )
    }
    // Whoever comes first is not told of what was before.
    if (known.length === 0) await events.setPlace(trx, READER, await events.lastAuditSeq(trx))
    if (!(await webhooks.addWebhook(trx, hook))) {
      throw new ApiError(
        'webhook-exists',
        `there is a webhook ${name}: remove it first with fitment webhooks remove ${name}`,
      )
    }
    const detail = { url, kinds: hook.kinds }
    await audit.writeAudit(trx, { actor, action: 'webhooks.add', subject: name, detail }, at)
  })
  return { ...viewOf({ ...hook, lastAnswer: null }, []), secret: hook.secret }
}

/** Events leave a machine over TLS only. @throws ApiError `bad-address` */
function requireAddress(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = url?.protocol === 'http:'
  if (url === undefined || (url.protocol !== 'https:' && !isPlain)) {
    throw new ApiError(
      'bad-address',
      `"${text}" is no address of a receiver: give https://HOST/PATH`,
    )
  }
  if (isPlain && !isLoopback(url.hostname)) {
    throw new ApiError(
      'bad-address',
      `${url.origin} has no TLS, and leaves this machine: give an https:// address`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new ApiError(
      'bad-address',
      'leave out user and password: each message is signed, and the receiver checks that',
    )
  }
}

/** @throws ApiError `unknown-webhook` */
export async function removeWebhook(
  { name }: OperationInput<'webhooks.remove'>,
  { context, actor }: Call,
): Promise<OperationOutput<'webhooks.remove'>> {
  const { db, now } = context
  const undelivered = await db.transaction().execute(async (trx) => {
    const left = await webhooks.removeWebhook(trx, name)
    if (left === undefined) {
      throw new ApiError(
        'unknown-webhook',
        `there is no webhook ${name}: see fitment webhooks list`,
      )
    }
    const detail = { undelivered: left }
    await audit.writeAudit(trx, { actor, action: 'webhooks.remove', subject: name, detail }, now())
    return left
  })
  return { name, undelivered }
}

const placeSchema = z.tuple([z.number().int()])

/** Newest first. */
export async function listDead(
  { name, limit = USUAL_ITEMS, cursor }: OperationInput<'webhooks.dead'>,
  { context }: Call,
): Promise<OperationAnswer<'webhooks.dead'>> {
  const place = cursor === undefined ? {} : { before: parseCursor(placeSchema, cursor)[0] }
  const found = await webhooks.deadDeliveries(context.db, {
    ...{ webhook: name, most: limit + 1 },
    ...place,
  })
  const { shown, next } = cutAt(found, limit, ({ seq }) => [seq])
  return { items: shown.map(deliveryView), next, total: null }
}

/** At once, and as patiently as the first time. @throws ApiError `unknown-delivery` */
export async function retryDelivery(
  { delivery: id }: OperationInput<'webhooks.retry'>,
  { context, actor }: Call,
): Promise<OperationOutput<'webhooks.retry'>> {
  const { db, now } = context
  const found = /^\d{1,15}$/.test(id) ? await webhooks.findDelivery(db, Number(id)) : undefined
  if (found?.state !== 'dead') {
    throw new ApiError(
      'unknown-delivery',
      `no delivery ${id} was given up: see fitment webhooks dead`,
    )
  }
  const { webhook, lastAnswer } = found
  const again = { state: 'waiting', attempts: 0, nextAt: now().toISOString(), lastAnswer } as const
  await db.transaction().execute(async (trx) => {
    await webhooks.noteAttempt(trx, found, again)
    const detail = { event: found.id, kind: found.kind }
    await audit.writeAudit(
      trx,
      { actor, action: 'webhooks.retry', subject: webhook, detail },
      now(),
    )
  })
  return deliveryView({ ...found, ...again })
}

type Hook = Omit<WebhookView, 'waiting' | 'dead' | 'kinds'> & {
  readonly kinds: readonly string[] | null
}

function viewOf(
  { name, url, kinds, createdBy, createdAt, lastAnswer }: Hook,
  counts: Awaited<ReturnType<typeof webhooks.countByState>>,
): WebhookView {
  const of = (state: string) =>
    counts.find((row) => row.webhook === name && row.state === state)?.deliveries ?? 0
  return {
    ...{ name, url, kinds: kinds && [...kinds], createdBy, createdAt, lastAnswer },
    ...{ waiting: of('waiting'), dead: of('dead') },
  }
}

function deliveryView({
  seq,
  webhook,
  kind,
  state,
  attempts,
  lastAnswer,
  createdAt,
  nextAt,
}: StoredDelivery): DeliveryView {
  return { id: String(seq), webhook, kind, state, attempts, lastAnswer, createdAt, nextAt }
}
