import type { Offer } from '../../../../shared/trust/index.ts'
import {
  directed,
  fileOf,
  forged,
  publish,
  replaced,
  scribbled,
  stranger,
  variantOf,
  withFile,
} from '../forge.ts'
import type { Row } from './row.ts'

/** Signed by somebody who may not, or by one key alone that was stolen. */
export const SIGNERS: readonly Row[] = [
  {
    attack: 'arbitrary-software',
    how: 'a stranger signs the targets of the director',
    mount: async (scene) =>
      withFile(await scene.offer(5), 'director', 'timestamp.json', (text) =>
        forged('timestamp', text, () => undefined, [stranger]),
      ),
  },
  {
    attack: 'arbitrary-software',
    how: 'a signed file is changed on its way',
    mount: async (scene) =>
      withFile(await scene.offer(5), 'image', 'timestamp.json', (text) =>
        scribbled(text, ({ signed }) => {
          signed.expires = '2099-01-01T00:00:00Z'
        }),
      ),
  },
  {
    attack: 'arbitrary-software',
    how: 'a stranger makes himself the root',
    mount: async (scene) => {
      const offer = await scene.offer(5)
      const root = offer.image['1.root.json'] ?? ''
      const next = forged(
        'root',
        root,
        (signed) => {
          signed.version = 2
        },
        [stranger],
      )
      return { ...offer, image: { ...offer.image, '2.root.json': next } }
    },
  },
  {
    attack: 'arbitrary-software',
    how: 'the publisher key, stolen, releases a model of its own and runs the versions up',
    recover: async ({ authority }) => {
      const change = await replaced(authority, 'publisher')
      await publish(
        authority,
        await authority.rotate('image', { timestamp: change, snapshot: change }),
      )
    },
    mount: async (scene) => {
      const publisher = await scene.key('publisher')
      const offer = await scene.offer(5)
      const { image: files } = offer
      const model = forged(
        'targets',
        files[fileOf(files, 'model.ic01.json')] ?? '',
        (signed) => {
          signed.version = 2
        },
        [publisher],
      )
      const bare = (version: number) => ({ version })
      const snapshot = forged(
        'snapshot',
        files[fileOf(files, 'snapshot.json')] ?? '',
        (signed) => {
          signed.version = 9
          signed.meta = { 'targets.json': bare(2), 'model.ic01.json': bare(2) }
        },
        [publisher],
      )
      const timestamp = forged(
        'timestamp',
        files['timestamp.json'] ?? '',
        (signed) => {
          signed.version = 9
          signed.meta = { 'snapshot.json': bare(9) }
        },
        [publisher],
      )
      return {
        ...offer,
        image: {
          ...files,
          'timestamp.json': timestamp,
          '9.snapshot.json': snapshot,
          '2.model.ic01.json': model,
        },
      }
    },
  },
  {
    attack: 'online-key-compromise',
    how: 'the director assigns what was never released',
    mount: (scene) => scene.offer(5, [directed(variantOf('ic01', 'malware', 3))]),
  },
  {
    attack: 'online-key-compromise',
    how: 'the director assigns a model that was never released',
    mount: (scene) => scene.offer(5, [directed(variantOf('spy', 'malware', 1))]),
  },
  {
    attack: 'online-key-compromise',
    how: 'the director assigns other bytes under a released name',
    mount: async (scene) => {
      const key = await scene.key('director')
      return redirected(await scene.offer(5), key, (target) => {
        target.hashes = { sha256: '0'.repeat(64) }
      })
    },
  },
  {
    attack: 'online-key-compromise',
    how: 'the director assigns another length under a released name',
    mount: async (scene) => {
      const key = await scene.key('director')
      return redirected(await scene.offer(5), key, (target) => {
        target.length = 1
      })
    },
  },
]

function redirected(
  offer: Offer,
  key: Parameters<typeof forged>[3][number],
  change: (target: Record<string, unknown>) => void,
): Offer {
  const files = offer.director
  const targets = forged(
    'targets',
    files[fileOf(files, 'targets.json')] ?? '',
    (signed) => {
      for (const target of Object.values(signed.targets as Record<string, Record<string, unknown>>))
        change(target)
    },
    [key],
  )
  const snapshot = forged(
    'snapshot',
    files[fileOf(files, 'snapshot.json')] ?? '',
    (signed) => {
      signed.meta = { 'targets.json': { version: 5 } }
    },
    [key],
  )
  const timestamp = forged(
    'timestamp',
    files['timestamp.json'] ?? '',
    (signed) => {
      signed.meta = { 'snapshot.json': { version: 5 } }
    },
    [key],
  )
  return {
    ...offer,
    director: {
      ...files,
      'timestamp.json': timestamp,
      '5.snapshot.json': snapshot,
      '5.targets.json': targets,
    },
  }
}
