import t from 'tap'
import { z } from 'zod'
import { deviceIdSchema, fleetSchema } from '../../../shared/ids.ts'
import { CHANNELS, type Channel, parseTopic } from '../../../shared/messages/topics.ts'
import { randomOf } from '../../planner/formats/tflite/random.ts'

/** What a topic is, part by part. */
const partsSchema = z.tuple([
  z.literal('fit'),
  z.literal('1'),
  fleetSchema,
  z.literal('d'),
  deviceIdSchema,
  z.enum(Object.keys(CHANNELS) as [Channel, ...Channel[]]),
])

const RIGHT = ['fit', '1', 'hall', 'd', 'pi-1', 'birth']
const OTHERS = [
  ...['fit', '1', 'd', 'death', 'reports', '', '.x', 'x.y', '-x', '_x', 'é', '$SYS', '+', '#', ' '],
  ...['toString', '__proto__', 'birth\n', 'pi-1\n', '\nfit', 'a'.repeat(64), 'a'.repeat(65)],
]

t.test('a topic is ours where the schemas of its parts say so', async (t) => {
  const random = randomOf(15)
  const one = () => OTHERS[Math.floor(random() * OTHERS.length)] ?? ''
  const outcomes = new Map([
    [true, 0],
    [false, 0],
  ])
  for (let round = 0; round < 20_000; round += 1) {
    const parts = RIGHT.map((part) => (random() < 0.15 ? one() : part))
    if (random() < 0.05) parts.push(one())
    if (random() < 0.05) parts.splice(Math.floor(random() * parts.length), 1)
    const topic = parts.join('/')
    const { data } = partsSchema.safeParse(topic.split('/'))
    const expected = data && { fleet: data[2], device: data[4], channel: data[5] }
    if (JSON.stringify(parseTopic(topic)) !== JSON.stringify(expected)) {
      t.same(parseTopic(topic), expected, JSON.stringify(topic))
    }
    const isOurs = expected !== undefined
    outcomes.set(isOurs, (outcomes.get(isOurs) ?? 0) + 1)
  }
  t.ok(
    [...outcomes.values()].every((count) => count > 2_000),
    'both outcomes were tried',
  )
})
