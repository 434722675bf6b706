import { type MetadataSource, sourceOf } from '../../../../agent/trust/index.ts'
import { forged, withFile } from '../forge.ts'
import { image, type Row } from './row.ts'

const QUICK = { fileMs: 60, refreshMs: 5_000 }

/** Nothing comes, or too slowly, or without end. */
export const DELIVERY: readonly Row[] = [
  {
    attack: 'drop-request',
    how: 'the director does not answer',
    setup: { limits: QUICK },
    mount: async (scene) => ({
      director: { fetch: () => new Promise<null>(() => undefined) },
      image: sourceOf(await image(scene)),
    }),
  },
  {
    attack: 'drop-request',
    how: 'the image repository denies having a timestamp',
    mount: async (scene) => {
      const offer = await scene.offer(5)
      const { 'timestamp.json': _dropped, ...rest } = offer.image
      return { ...offer, image: rest }
    },
  },
  {
    attack: 'drop-request',
    how: 'the connection breaks',
    mount: async (scene) => ({
      director: { fetch: () => Promise.reject(new Error('reset')) },
      image: sourceOf(await image(scene)),
    }),
  },
  {
    attack: 'slow-retrieval',
    how: 'a byte now and then',
    setup: { limits: QUICK },
    mount: async (scene) => ({ director: trickling(), image: sourceOf(await image(scene)) }),
  },
  {
    attack: 'endless-data',
    how: 'a timestamp that never ends',
    mount: async (scene) => ({ director: endless(), image: sourceOf(await image(scene)) }),
  },
  {
    attack: 'endless-data',
    how: 'a snapshot announced with more bytes than it may have, signed by the stolen director key',
    mount: async (scene) => {
      const offer = await scene.offer(5)
      const key = await scene.key('director')
      return withFile(offer, 'director', 'timestamp.json', (text) =>
        forged(
          'timestamp',
          text,
          (signed) => {
            ;(signed.meta as Record<string, { length: number }>)['snapshot.json'] = {
              version: 5,
              length: 2 ** 30,
            } as never
          },
          [key],
        ),
      )
    },
  },
]

function endless(): MetadataSource {
  return {
    fetch: async (file) =>
      file.endsWith('root.json')
        ? null
        : (async function* () {
            for (;;) yield Buffer.alloc(1024, ' ')
          })(),
  }
}

function trickling(): MetadataSource {
  return {
    fetch: async (file, signal) =>
      file.endsWith('root.json')
        ? null
        : (async function* () {
            while (!signal.aborted) {
              yield Buffer.from(' ')
              await new Promise((resolve) => setTimeout(resolve, 5))
            }
          })(),
  }
}
