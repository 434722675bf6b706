import { parseTrustedKey, type TrustedKey } from '../../../shared/signatures/index.ts'
import { REPOSITORIES, TOP_ROLES, tufKeyId } from '../../../shared/trust/index.ts'
import type { ConductorContext } from '../../conductor/index.ts'
import { audit, clock } from '../../storage/index.ts'
import {
  type Batch,
  describeBatch,
  isComplete,
  KEY_ROLES,
  type KeyRole,
  KeysError,
  type ListedKey,
  type PolicyChange,
  rolesSignedBy,
  signsByMachine,
} from '../../trust/index.ts'
import type { Call } from '../call/call.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import type { BatchView } from '../contract/views.ts'

export async function listKeys(
  _: OperationInput<'keys.list'>,
  { context, info }: Call,
): Promise<OperationOutput<'keys.list'>> {
  const listed = await context.trust.keys.list()
  const policies = await context.trust.policies()
  const nameOf = (key: TrustedKey) =>
    listed.find(({ keyId }) => keyId === tufKeyId(key))?.name ?? tufKeyId(key).slice(0, 12)
  const roles = REPOSITORIES.flatMap((repository) =>
    TOP_ROLES.map((role) => {
      const { keys, threshold } = policies[repository][role]
      return { repository, role, threshold, keys: keys.map(nameOf) }
    }),
  )
  const signs = (name: string) =>
    roles.flatMap(({ repository, role, keys }) =>
      keys.includes(name) ? [`${repository} ${role}`] : [],
    )
  return {
    anchor: info.trust,
    keys: listed.map((key) => ({ ...key, signs: signs(key.name) })),
    roles,
  }
}

export async function pendingBatches(
  _: OperationInput<'keys.pending'>,
  { context }: Call,
): Promise<BatchView[]> {
  return (await context.trust.pending()).map((batch) => viewOf(batch, 'waiting'))
}

/** @throws ApiError `unknown-batch` */
export async function batchNamed({ trust }: ConductorContext, id: string): Promise<Batch> {
  const found = (await trust.pending()).find((batch) => batch.id === id)
  if (found) return found
  throw new ApiError(
    'unknown-batch',
    `no batch ${id} waits for signatures: it was published or drafted anew; see fitment keys pending`,
  )
}

/** Takes signatures from elsewhere; what is complete with them becomes true at once. @throws KeysError */
export async function submitSignatures(
  { signatures }: OperationInput<'keys.submit'>,
  call: Call,
): Promise<BatchView> {
  const batch = await batchNamed(call.context, signatures.batch)
  if (await call.context.trust.isStale(batch)) throw await stale(batch, call)
  const signed = await call.context.trust.add(batch, signatures)
  await note(call, 'keys.signed', signed, { keys: signersOf(signatures) })
  return settle(signed, call)
}

export async function dropBatch(
  { batch: id }: OperationInput<'keys.drop'>,
  call: Call,
): Promise<OperationOutput<'keys.drop'>> {
  const batch = await batchNamed(call.context, id)
  await call.context.trust.drop(batch)
  await note(call, 'keys.dropped', batch)
  call.conductor.poke()
  return { batch: id }
}

/** Keys that come and go, or another threshold; true once the old root's keys and the new ones have signed. */
export async function rotateKeys(
  input: OperationInput<'keys.rotate'>,
  call: Call,
): Promise<BatchView[]> {
  const { trust } = call.context
  const change = await changeOf(input, call.context)
  const held = rolesSignedBy(input.holder)
  const views: BatchView[] = []
  for (const repository of REPOSITORIES) {
    const roles = held.filter((entry) => entry.repository === repository)
    if (roles.length === 0) continue
    const changes = Object.fromEntries(roles.map(({ role }) => [role, change]))
    const batch = await trust.sign(await trust.rotate(repository, changes))
    await note(call, 'keys.rotate', batch, { holder: input.holder })
    views.push(await settle(batch, call))
  }
  return views
}

/** The private part was taken elsewhere: it leaves this machine. @throws KeysError */
export async function forgetKey(
  { name }: OperationInput<'keys.forget'>,
  call: Call,
): Promise<OperationOutput<'keys.forget'>> {
  const { trust, now, db } = call.context
  const { keys } = await listKeys({}, call)
  const signs = keys.find((key) => key.name === name)?.signs ?? []
  const machine = KEY_ROLES.filter(signsByMachine).flatMap(rolesSignedBy)
  const needed = machine.find(({ repository, role }) => signs.includes(`${repository} ${role}`))
  if (needed) {
    throw new KeysError(
      'impossible-policy',
      `${name} signs ${needed.role} of the ${needed.repository} repository by machine: it must stay here`,
    )
  }
  await trust.keys.dropSecret(name)
  const entry = { actor: call.actor, action: 'keys.forget', subject: name, detail: {} }
  await audit.writeAudit(db, entry, now())
  return { name }
}

async function changeOf(
  { holder, add, remove, threshold }: OperationInput<'keys.rotate'>,
  { trust }: ConductorContext,
): Promise<PolicyChange> {
  const listed = await trust.keys.list()
  const fresh: TrustedKey[] = []
  for (const { name, publicKey } of add) {
    const key = parseTrustedKey(publicKey)
    const isKnown = listed.some((known) => known.name === name && known.keyId === tufKeyId(key))
    if (!isKnown) await trust.keys.add(name, key)
    fresh.push(key)
  }
  const leaving: TrustedKey[] = []
  for (const name of remove) leaving.push(await trust.keys.publicKey(name))
  if (signsByMachine(holder) && fresh.length + leaving.length === 0 && threshold === null) {
    return madeAnew(holder, listed, trust)
  }
  return {
    add: fresh,
    remove: leaving.map(tufKeyId),
    ...(threshold !== null && { threshold }),
  }
}

/** A key that signs by machine is made here, in place of those before. */
async function madeAnew(
  holder: KeyRole,
  listed: readonly ListedKey[],
  trust: ConductorContext['trust'],
): Promise<PolicyChange> {
  const [held] = rolesSignedBy(holder)
  if (!held) return {}
  const { keys } = (await trust.policies())[held.repository][held.role]
  const taken = new Set(listed.map(({ name }) => name))
  let count = 2
  while (taken.has(`${holder}-${count}`)) count += 1
  const { trusted } = await trust.keys.generate(`${holder}-${count}`)
  return { add: [trusted], remove: keys.map(tufKeyId), threshold: 1 }
}

async function settle(batch: Batch, call: Call): Promise<BatchView> {
  if (!isComplete(batch)) return viewOf(batch, 'waiting')
  try {
    await call.context.trust.publish(batch)
  } catch (error) {
    if (error instanceof KeysError && error.code === 'stale-batch') throw await stale(batch, call)
    throw error
  }
  await note(call, 'keys.published', batch)
  // Whose word on time had counted, counts no more: devices start from their own clocks.
  if (batch.requests.some(({ repository, kind }) => repository === 'director' && kind === 'root')) {
    await clock.forgetAhead(call.context.db)
  }
  call.conductor.poke()
  return viewOf(batch, 'published')
}

/** A release is drafted anew by itself; keys are changed by people. */
async function stale(batch: Batch, call: Call): Promise<KeysError> {
  await call.context.trust.drop(batch)
  await note(call, 'keys.dropped', batch)
  call.conductor.poke()
  return new KeysError(
    'stale-batch',
    `something else was published since "${batch.what}" was drafted: it is dropped; see fitment keys pending for what waits now`,
  )
}

async function note(
  { context, actor }: Call,
  action: string,
  batch: Batch,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const entry = { actor, action, subject: batch.what, detail: { batch: batch.id, ...detail } }
  await audit.writeAudit(context.db, entry, context.now())
}

function signersOf({ signatures }: OperationInput<'keys.submit'>['signatures']): string[] {
  return [...new Set(signatures.flatMap(({ signatures: all }) => all.map(({ keyid }) => keyid)))]
}

function viewOf(batch: Batch, state: BatchView['state']): BatchView {
  const [, ...lines] = describeBatch(batch)
  return { batch: batch.id, what: batch.what, lines, state }
}
