import * as identity from '../../identity/index.ts'
import { operators, type StoredOperator } from '../../storage/index.ts'
import type { Call } from '../call/call.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import { needed } from '../devices/invite.ts'

const DAY_MS = 86_400_000

/** @throws ApiError `no-listener` */
export async function addOperator(
  { name, role, days }: OperationInput<'operators.add'>,
  call: Call,
): Promise<OperationOutput<'operators.add'>> {
  const { context, operatorUrl: planner, actor } = call
  if (planner === undefined) {
    throw new ApiError(
      'no-listener',
      'this planner is asked on its own machine only: start it with fitment serve --api-host ADDRESS',
    )
  }
  const place = { planner, authority: needed(call.identity).authority.pin }
  const wish = { name, role, lifetimeMs: days === null ? null : days * DAY_MS, by: actor }
  return { name, role, token: await identity.addOperator(context.db, place, wish, context.now()) }
}

export async function listOperators(
  _: OperationInput<'operators.list'>,
  { context }: Call,
): Promise<OperationOutput<'operators.list'>> {
  const all = await operators.listOperators(context.db)
  return all.map((operator) => ({
    name: operator.name,
    role: operator.role,
    state: stateOf(operator, context.now()),
    createdBy: operator.createdBy,
    createdAt: operator.createdAt.toISOString(),
    expiresAt: operator.expiresAt?.toISOString() ?? null,
  }))
}

export async function revokeOperator(
  { name }: OperationInput<'operators.revoke'>,
  { context, actor }: Call,
): Promise<OperationOutput<'operators.revoke'>> {
  return { name, tokens: await identity.revokeOperator(context.db, name, actor, context.now()) }
}

function stateOf(operator: StoredOperator, now: Date): 'good' | 'expired' | 'revoked' {
  if (identity.isGood(operator, now)) return 'good'
  return operator.revokedAt === null ? 'expired' : 'revoked'
}
