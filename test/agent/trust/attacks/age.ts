import { DAY_MS, directed, forged, NEWEST, OLDER, publish, scribbled, withFile } from '../forge.ts'
import { image, installed, type Row } from './row.ts'

/** What is shown is older than what was believed, or newer than anything can be. */
export const AGE: readonly Row[] = [
  {
    attack: 'freeze',
    how: 'nothing new until the last timestamp has expired',
    mount: async (scene) => {
      const offer = await installed(scene)
      scene.clock.pass(8 * DAY_MS)
      return offer
    },
  },
  {
    attack: 'freeze',
    how: 'the same, with the clock of the device set back',
    mount: async (scene) => {
      const offer = await installed(scene)
      scene.clock.pass(8 * DAY_MS)
      scene.clock.set(new Date(0))
      return offer
    },
  },
  {
    attack: 'freeze',
    how: 'only the image repository is held back',
    mount: async (scene) => {
      const old = await installed(scene)
      scene.clock.pass(8 * DAY_MS)
      return { ...(await scene.offer(6)), image: old.image }
    },
  },
  {
    attack: 'rollback',
    how: 'an older direction',
    mount: async (scene) => {
      const older = await scene.offer(4, [directed(OLDER)])
      await installed(scene)
      return older
    },
  },
  {
    attack: 'rollback',
    how: 'an older image repository',
    mount: async (scene) => {
      const older = await image(scene)
      await publish(scene.authority, await scene.authority.release({ ic01: [OLDER, NEWEST] }))
      await installed(scene)
      return { ...(await scene.offer(6)), image: older }
    },
  },
  {
    attack: 'rollback',
    how: 'the director orders an older release that was once signed',
    mount: async (scene) => {
      await installed(scene)
      return await scene.offer(6, [directed(OLDER)])
    },
  },
  {
    attack: 'fast-forward',
    how: 'the stolen director key uses the versions up',
    mount: async (scene) => {
      const key = await scene.key('director')
      return withFile(await scene.offer(5), 'director', 'timestamp.json', (text) =>
        scribbled(
          forged('timestamp', text, () => undefined, [key]),
          ({ signed }) => {
            signed.version = 2 ** 53 - 1
          },
        ),
      )
    },
  },
]
