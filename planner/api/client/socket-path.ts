import { createHash } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { UsageError } from '../../../shared/errors.ts'

/** `sun_path` of unix(7) less its end. */
const LONGEST = 107

/**
 * The planner's socket: `planner.sock` in its data directory. Where that path is longer than a socket's may
 * be, a folder of this user's own in the system's temporary directory holds it, named after the data directory.
 */
export function socketPath(data: string): string {
  const direct = resolve(data, 'planner.sock')
  if (Buffer.byteLength(direct) <= LONGEST) return direct
  const { uid } = userInfo()
  const folder = join(tmpdir(), `fitment-${uid}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid: owner, mode } = statSync(folder)
  if (owner !== uid || (mode & 0o077) !== 0) {
    throw new UsageError(
      `${folder} is open to other users: remove it, or choose a shorter --data directory`,
      { folder },
    )
  }
  return join(
    folder,
    `${createHash('sha256').update(resolve(data)).digest('hex').slice(0, 16)}.sock`,
  )
}
