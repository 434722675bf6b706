import type { Readable } from 'node:stream'
import type { ConductorContext } from '../../conductor/index.ts'
import { ApiError } from '../contract/errors.ts'
import { OTHER_PATHS } from '../contract/routes.ts'

const NAMED = new RegExp(`^${OTHER_PATHS.artifacts}/([^/]+)$`)

/** What a path names a file by, a digest if it is one; `undefined` where it names none. */
export function releasedName(path: string): string | undefined {
  return NAMED.exec(path)?.[1]
}

/** A file that the release keys vouch for, or one beside it: models and data of operators stay here. @throws ApiError `unknown-file` */
export async function readReleased(
  { trust, artifacts }: ConductorContext,
  digest: string,
): Promise<{ readonly stream: Readable; readonly bytes: number }> {
  for (const model of await trust.image.models()) {
    for (const variant of await trust.image.variants(model)) {
      const { selfTest, labels, sketch, ...own } = variant
      const refs = [own, selfTest, labels, sketch].filter((ref) => ref != null)
      if (!refs.some((ref) => ref.digest === digest || ref.blockList === digest)) continue
      const file = await artifacts.open(digest)
      if (file) return { bytes: (await file.stat()).size, stream: file.createReadStream() }
    }
  }
  throw new ApiError('unknown-file', `no released file has the digest ${digest.slice(0, 12)}…`)
}
