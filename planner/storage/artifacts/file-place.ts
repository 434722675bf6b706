import { rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Digest } from '../../../shared/digest.ts'
import { makeFolder, settle } from '../../../shared/durable/index.ts'
import { type ArtifactPlace, pathIn } from './place.ts'

/** Files in a folder, which several planners may have mounted. */
export function filePlace(root: string): ArtifactPlace {
  const has = async (digest: Digest) => {
    const found = await stat(pathIn(root, digest)).catch(() => undefined)
    return found?.isFile() ?? false
  }
  const hold = async (digest: Digest) =>
    (await has(digest)) ? { path: pathIn(root, digest), release: () => {} } : undefined
  return {
    name: root,
    isHere: true,
    drafts: root,
    has,
    hold,
    holdHere: hold,
    async keep(draft, digest) {
      const path = pathIn(root, digest)
      await makeFolder(dirname(path))
      await settle(draft, path)
    },
    remove: (digest) => rm(pathIn(root, digest), { force: true }),
  }
}
