import { modelRole, parseMetadata } from '../../shared/trust/index.ts'
import { type Releases, releasedIn } from './image-repository.ts'
import type { Batch } from './pending.ts'

const MODEL_PREFIX = modelRole('')

/** What a batch releases; `null` for a batch that changes keys. */
export function releasedBy({ requests }: Batch): Releases | null {
  if (requests.some(({ kind }) => kind === 'root')) return null
  const models = requests.filter(({ role }) => role.startsWith(MODEL_PREFIX))
  return Object.fromEntries(
    models.map(({ role, metadata }) => [
      role.slice(MODEL_PREFIX.length),
      releasedIn(parseMetadata('targets', Buffer.from(metadata)).signed),
    ]),
  )
}
