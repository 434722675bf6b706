import { z } from 'zod'
import {
  type Db,
  devices as deviceRows,
  type Rollout,
  rolloutLists,
  rollouts,
  selections,
  variants,
  windows,
} from '../../storage/index.ts'
import { type Call, modelNamed } from '../call/call.ts'
import type { OperationAnswer, OperationInput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import { cutAt, parseCursor, USUAL_ITEMS } from '../contract/paging.ts'
import type { RolloutDetail, RolloutMember, RolloutSummary } from '../contract/rollout-views.ts'
import { groupCauses } from './causes.ts'
import { headOf } from './rollout-head.ts'

const placeSchema = z.tuple([z.string(), z.string()])

/** Newest first, each by its numbers. @throws ApiError `unknown-model` */
export async function listRollouts(
  input: OperationInput<'rollouts.list'>,
  { context }: Call,
): Promise<OperationAnswer<'rollouts.list'>> {
  const { db } = context
  const { model, class: classId, state, limit = USUAL_ITEMS, cursor } = input
  if (model !== undefined) await modelNamed(context, model)
  const before = cursor === undefined ? undefined : parseCursor(placeSchema, cursor)
  const query = { model, class: classId, state, before, most: limit + 1 }
  const found = await rolloutLists.rolloutPage(db, query)
  const { shown, next } = cutAt(found, limit, ({ createdAt, id }) => [createdAt, id])
  const items = await Promise.all(shown.map((rollout) => summaryOf(db, rollout)))
  return { items, next, total: null }
}

/** @throws ApiError `unknown-rollout` */
export async function showRollout(
  { rollout: id }: OperationInput<'rollouts.show'>,
  { context }: Call,
): Promise<RolloutDetail> {
  const { db } = context
  const rollout = await rolloutNamed(db, id)
  const { approval, revert, gate, health } = rollout.options
  return {
    ...(await summaryOf(db, rollout)),
    ...{ approval, revert, gate, healthGate: health },
    pausedUntil: (await windows.pauses(db)).get(id) ?? null,
    causes: groupCauses(await rolloutLists.failureCauses(db, id)).slice(0, MOST_CAUSES),
  }
}

/** More kinds of failure than anybody reads. */
const MOST_CAUSES = 50

const memberPlace = z.tuple([z.string()])

/** By name. @throws ApiError `unknown-rollout` */
export async function listMembers(
  { rollout: id, state, wave, limit = USUAL_ITEMS, cursor }: OperationInput<'rollouts.members'>,
  { context }: Call,
): Promise<OperationAnswer<'rollouts.members'>> {
  const { db } = context
  await rolloutNamed(db, id)
  const after = cursor === undefined ? '' : parseCursor(memberPlace, cursor)[0]
  const query = { state, wave: wave && wave - 1, after, most: limit + 1 }
  const found = await rolloutLists.memberPage(db, id, query)
  const { shown, next } = cutAt(found, limit, ({ device }) => [device])
  const known = await deviceRows.onlineAmong(
    db,
    shown.map(({ device }) => device),
  )
  const schemes = new Map<string, string | null>()
  for (const key of new Set(shown.flatMap((member) => member.variant ?? []))) {
    schemes.set(key, (await variants.findVariant(db, key))?.scheme ?? null)
  }
  const items: RolloutMember[] = shown.map((member) => ({
    device: member.device,
    online: known.has(member.device),
    wave: member.wave + 1,
    state: member.state,
    scheme: schemes.get(member.variant ?? '') ?? null,
    error: member.error,
    updatedAt: member.updatedAt,
  }))
  return { items, next, total: await rolloutLists.countMembers(db, id, query) }
}

async function rolloutNamed(db: Db, id: string): Promise<Rollout> {
  const rollout = await rollouts.findRollout(db, id)
  if (rollout) return rollout
  throw new ApiError(
    'unknown-rollout',
    'there is no rollout of this id: list them at /api/v1/rollouts',
  )
}

async function summaryOf(db: Db, rollout: Rollout): Promise<RolloutSummary> {
  const selection = await selections.selectionBySeq(db, rollout.selection)
  const head = await headOf(db, rollout, selection)
  return { ...head, counts: await rolloutLists.memberCounts(db, rollout.id) }
}
