import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { readIfPresent } from '../../shared/durable/index.ts'
import { parseJson } from '../../shared/json.ts'
import { tufKeyId } from '../../shared/trust/index.ts'
import { clock, type Db, directions } from '../storage/index.ts'
import { isComplete, type TrustAuthority } from '../trust/index.ts'
import { FILES, restoredSchema } from './parts.ts'

/**
 * The first start on restored data. Devices may have seen more than the backup knows: later releases, snapshots,
 * timestamps. Release counters go on from the clock, as the other counters do, and the publisher's key is replaced: with it
 * devices forget what snapshots and timestamps it signed (TUF 1.0 §5.3.11). The note goes last: all of it may be done twice.
 */
export async function takeUpRestored(
  data: string,
  db: Db,
  trust: TrustAuthority,
  log: Logger,
): Promise<void> {
  const path = join(data, FILES.restored)
  const note = await readIfPresent(path)
  if (note === undefined) return
  const { madeAt, restoredAt } = parseJson(restoredSchema, note.toString())
  await clock.noteRestored(db, new Date(restoredAt))
  await directions.forgetReleaseCounters(db)
  const before = (await trust.policies()).image.snapshot.keys
  const taken = new Set((await trust.keys.list()).map(({ name }) => name))
  let count = 2
  while (taken.has(`publisher-${count}`)) count += 1
  const { trusted } = await trust.keys.generate(`publisher-${count}`)
  const change = { add: [trusted], remove: before.map(tufKeyId), threshold: 1 }
  const batch = await trust.sign(
    await trust.rotate('image', { snapshot: change, timestamp: change }),
    async () => null,
  )
  if (isComplete(batch)) await trust.publish(batch)
  else
    log.warn(
      'restored: the root keys lie elsewhere, and must sign that the publisher has a new one, see fitment keys pending; until then devices that saw more than the backup refuse',
    )
  log.warn({ madeAt }, 'restored from a backup: what was released since is released no more')
  await rm(path)
}
