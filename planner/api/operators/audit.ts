import { z } from 'zod'
import { audit } from '../../storage/index.ts'
import type { Call } from '../call/call.ts'
import type { OperationAnswer, OperationInput } from '../contract/contract.ts'
import { cutAt, parseCursor, USUAL_ITEMS } from '../contract/paging.ts'

const placeSchema = z.tuple([z.number().int()])

/** Newest first. */
export async function listAudit(
  { limit = USUAL_ITEMS, cursor, ...only }: OperationInput<'audit.list'>,
  { context }: Call,
): Promise<OperationAnswer<'audit.list'>> {
  const before = cursor === undefined ? undefined : parseCursor(placeSchema, cursor)[0]
  const entries = await audit.readAudit(context.db, { ...only, before, limit: limit + 1 })
  const { shown, next } = cutAt(entries, limit, ({ seq }) => [Number(seq)])
  const items = shown.map((entry) => ({
    ...entry,
    seq: Number(entry.seq),
    detail: { ...entry.detail },
  }))
  return { items, next, total: null }
}
