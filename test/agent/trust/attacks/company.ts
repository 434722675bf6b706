import { directed, fileOf, NEWEST, OLDER, publish, variantOf, withFile } from '../forge.ts'
import { image, installed, type Row } from './row.ts'

/** What is shown does not belong together, or not all of it is there. */
export const COMPANY: readonly Row[] = [
  {
    attack: 'mix-and-match',
    how: 'the snapshot of another moment',
    mount: async (scene) => {
      const [five, six] = [await scene.offer(5), await scene.offer(6)]
      const other = five.director[fileOf(five.director, 'snapshot.json')] ?? ''
      return withFile(six, 'director', 'snapshot.json', () => other)
    },
  },
  {
    attack: 'mix-and-match',
    how: 'targets of another moment of the image repository',
    mount: async (scene) => {
      const before = await image(scene)
      await publish(scene.authority, await scene.authority.release({ ic01: [OLDER, NEWEST] }))
      const other = before[fileOf(before, 'model.ic01.json')] ?? ''
      return withFile(await scene.offer(5), 'image', 'model.ic01.json', () => other)
    },
  },
  {
    attack: 'mix-and-match',
    how: 'the director describes released bytes otherwise',
    mount: (scene) => scene.offer(5, [directed(NEWEST, 1, { scheme: 'float32' })]),
  },
  {
    attack: 'mix-and-match',
    how: 'the director claims a higher release counter for an old release',
    mount: async (scene) => {
      await installed(scene)
      return await scene.offer(6, [directed(OLDER, 2, { releaseCounter: 3 })])
    },
  },
  {
    attack: 'mix-and-match',
    how: 'two variants of one model at once',
    mount: (scene) => scene.offer(5, [directed(NEWEST), directed(OLDER)]),
  },
  {
    attack: 'mix-and-match',
    how: 'a self-test that was not released',
    mount: (scene) =>
      scene.offer(5, [
        directed(NEWEST, 1, {
          selfTest: { digest: NEWEST.digest, bytes: 10, blockList: NEWEST.blockList },
        }),
      ]),
  },
  {
    attack: 'mix-and-match',
    how: 'labels that were not released',
    mount: (scene) =>
      scene.offer(5, [
        directed(NEWEST, 1, {
          labels: { digest: NEWEST.digest, bytes: 10, blockList: NEWEST.blockList },
        }),
      ]),
  },
  {
    attack: 'mix-and-match',
    how: 'the director calls a release another revision',
    mount: (scene) => scene.offer(5, [directed(NEWEST, 1, { revision: 9 })]),
  },
  {
    attack: 'partial-install',
    how: 'of two assigned models only one arrives with its metadata',
    mount: async (scene) => {
      const second = variantOf('kws', 'another model', 1)
      await publish(scene.authority, await scene.authority.release({ kws: [second] }))
      const offer = await scene.offer(5, [directed(NEWEST), directed(second)])
      const { [fileOf(offer.image, 'model.kws.json')]: _dropped, ...rest } = offer.image
      return { ...offer, image: rest }
    },
  },
]
