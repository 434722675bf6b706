import { setTimeout as sleep } from 'node:timers/promises'
import { freeBytes } from '../../../shared/durable/index.ts'
import { isDiskFull, messageOf } from '../../../shared/errors.ts'
import { fieldOf } from '../../../shared/open-words.ts'
import { type Model, variants } from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'

const LOOK_EVERY_MS = 2_000
/** More room than there was, before it is tried again. */
const MORE_BYTES = 1024 * 1024
/** Tried again after so long at the latest: what was full may have been another disk. */
const LONGEST_MS = 300_000
/** A place that is away is asked again after so long; the asking has its own patience. */
const AWAY_MS = 15_000

/** Codes under which storage, jobs and the quantizer say that a disk was full. */
const FULL: ReadonlySet<unknown> = new Set(['full', 'disk-full', 'no-scratch-space'])

/** Where artifacts lie cannot be used now. */
const AWAY: ReadonlySet<unknown> = new Set(['unreachable', 'store-refused'])

/** It failed for want of room, or of the place where files go: that says nothing of the model. */
export function isForWantOfRoom(error: unknown): boolean {
  return isDiskFull(error) || FULL.has(fieldOf(error, 'code')) || isAway(error)
}

function isAway(error: unknown): boolean {
  return AWAY.has(fieldOf(error, 'code'))
}

/**
 * Puts the variant back among those to be built, once there is room: builds are made one at a time, and the next one
 * would find the disk as full.
 */
export async function waitForRoom(
  context: Pick<ConductorContext, 'db' | 'artifacts' | 'log' | 'progress' | 'stopping' | 'workDir'>,
  model: Pick<Model, 'name'>,
  key: string,
  error: unknown,
): Promise<void> {
  const what = isAway(error)
    ? `${messageOf(error)}; it goes on by itself`
    : `no room is left on the disk of ${context.workDir}: free some, it goes on by itself`
  context.log.error(what)
  context.progress.emit({ model: model.name, what, done: 0, total: 0 })
  if (isAway(error)) await sleep(AWAY_MS, undefined, { signal: context.stopping }).catch(() => {})
  else await untilThereIsRoom(context)
  // Half built, it would be taken up by the next planner only.
  await variants.setVariantState(context.db, key, 'planned')
}

async function untilThereIsRoom({
  artifacts: { root },
  stopping,
}: Pick<ConductorContext, 'artifacts' | 'stopping'>): Promise<void> {
  const before = await freeBytes(root)
  const deadline = performance.now() + LONGEST_MS
  do await sleep(LOOK_EVERY_MS, undefined, { signal: stopping }).catch(() => {})
  while (
    !stopping.aborted &&
    performance.now() < deadline &&
    (await freeBytes(root)) < before + MORE_BYTES
  )
}
