import { setTimeout as sleep } from 'node:timers/promises'
import { freeBytes } from '../../../shared/durable/index.ts'
import { isDiskFull } from '../../../shared/errors.ts'
import { fieldOf } from '../../../shared/open-words.ts'
import { type Model, variants } from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'

const LOOK_EVERY_MS = 2_000
/** More room than there was, before it is tried again. */
const MORE_BYTES = 1024 * 1024
/** Tried again after so long at the latest: what was full may have been another disk. */
const LONGEST_MS = 300_000

/** Codes under which storage, jobs and the quantizer say that a disk was full. */
const FULL: ReadonlySet<unknown> = new Set(['full', 'disk-full', 'no-scratch-space'])

/** It failed for want of room: that says nothing of the model. */
export function isForWantOfRoom(error: unknown): boolean {
  return isDiskFull(error) || FULL.has(fieldOf(error, 'code'))
}

/**
 * Puts the variant back among those to be built, once there is room: builds are made one at a time, and the next one
 * would find the disk as full.
 */
export async function waitForRoom(
  context: Pick<ConductorContext, 'db' | 'artifacts' | 'log' | 'progress' | 'stopping' | 'workDir'>,
  model: Pick<Model, 'name'>,
  key: string,
): Promise<void> {
  const what = `no room is left on the disk of ${context.workDir}: free some, it goes on by itself`
  context.log.error(what)
  context.progress.emit({ model: model.name, what, done: 0, total: 0 })
  const { root } = context.artifacts
  const before = await freeBytes(root)
  const deadline = performance.now() + LONGEST_MS
  do await sleep(LOOK_EVERY_MS, undefined, { signal: context.stopping }).catch(() => {})
  while (
    !context.stopping.aborted &&
    performance.now() < deadline &&
    (await freeBytes(root)) < before + MORE_BYTES
  )
  // Half built, it would be taken up by the next planner only.
  await variants.setVariantState(context.db, key, 'planned')
}
