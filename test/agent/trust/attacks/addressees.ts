import { directed, fileOf, forged, NEWEST } from '../forge.ts'
import type { Row } from './row.ts'

/** Meant for another device, or another kind of device. */
export const ADDRESSEES: readonly Row[] = [
  {
    attack: 'wrong-class',
    how: 'released for other classes than it is assigned for',
    mount: (scene) => scene.offer(5, [directed(NEWEST, 1, { class: 'jetson' })]),
  },
  {
    attack: 'wrong-class',
    how: 'released, but for another class than this device is of',
    mount: (scene) => scene.offer(5, [directed(NEWEST, 1, { class: 'pi5' })]),
  },
  {
    attack: 'wrong-class',
    how: 'for a runtime that is not here',
    setup: { runtimes: ['onnxruntime'] },
    mount: (scene) => scene.offer(5),
  },
  {
    attack: 'replayed-assignment',
    how: 'what the director signed for another device',
    mount: (scene) => scene.offer(5, [directed(NEWEST)], 'dev2'),
  },
  {
    attack: 'replayed-assignment',
    how: 'another device is to run nothing: an empty direction',
    mount: (scene) => scene.offer(9, [], 'dev2'),
  },
  {
    attack: 'replayed-assignment',
    how: 'only the targets are those of another device',
    mount: async (scene) => {
      const key = await scene.key('director')
      const mine = await scene.offer(5)
      const other = await scene.directorSays(5, [directed(NEWEST)], 'dev2')
      const targets = other[fileOf(other, 'targets.json')] ?? ''
      const bare = { version: 5 }
      const snapshot = forged(
        'snapshot',
        mine.director[fileOf(mine.director, 'snapshot.json')] ?? '',
        (signed) => {
          signed.meta = { 'targets.json': bare }
        },
        [key],
      )
      const timestamp = forged(
        'timestamp',
        mine.director['timestamp.json'] ?? '',
        (signed) => {
          signed.meta = { 'snapshot.json': bare }
        },
        [key],
      )
      return {
        ...mine,
        director: {
          ...mine.director,
          'timestamp.json': timestamp,
          '5.snapshot.json': snapshot,
          '5.targets.json': targets,
        },
      }
    },
  },
]
