import { generate, type Packet } from 'mqtt-packet'
import { connectPacket, topicOf } from './clients.ts'

export type Random = (below: number) => number

/** xorshift32: the same frames for the same seed. */
export function seededRandom(seed: number): Random {
  let state = seed | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/**
 * What one client says, in bursts: most say CONNECT first, and some say much before the first frame
 * that is not as it should be.
 */
export function* burstsOf(device: string, random: Random): Generator<Buffer[]> {
  const valid = validFrames(device)
  const polite = random(10) > 0
  const rate = 1 + random(1000)
  if (polite) yield [connectPacket(device)]
  for (let burst = 0; burst < 50; burst += 1) {
    yield Array.from({ length: 1 + random(40) }, () => {
      const frame = valid[random(valid.length)] as Buffer
      return random(rate) === 0 ? mutated(frame, random) : frame
    })
  }
}

function validFrames(device: string): Buffer[] {
  const payload = Buffer.from('{"v":1,"id":"x"}')
  const publish = (topic: string, qos: 0 | 1 | 2, retain = false) =>
    ({ cmd: 'publish', topic, payload, qos, retain, dup: false, messageId: 7 }) as const
  const packets: Packet[] = [
    publish(topicOf(device, 'reports'), 0),
    publish(topicOf(device, 'want'), 1),
    publish(topicOf(device, 'birth'), 2, true),
    publish(topicOf('other', 'birth'), 1),
    publish('$SYS/x', 0),
    publish('fit/1/default/d/x', 0),
    {
      cmd: 'subscribe',
      messageId: 3,
      subscriptions: [{ topic: topicOf(device, 'orders'), qos: 1 }],
    },
    { cmd: 'subscribe', messageId: 4, subscriptions: [{ topic: '#', qos: 2 }] },
    { cmd: 'unsubscribe', messageId: 5, unsubscriptions: [topicOf(device, 'orders'), '#'] },
    { cmd: 'puback', messageId: 9 },
    { cmd: 'pubrec', messageId: 9 },
    { cmd: 'pubrel', messageId: 7 },
    { cmd: 'pubcomp', messageId: 9 },
    { cmd: 'pingreq' },
  ] as Packet[]
  return packets.map((packet) => generate(packet))
}

function mutated(frame: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(frame)
  const mutations: readonly (() => Buffer)[] = [
    () => {
      bytes[random(bytes.length)] = random(256)
      return bytes
    },
    () => bytes.subarray(0, random(bytes.length)),
    () => Buffer.concat([bytes, bytes.subarray(random(bytes.length))]),
    () => Buffer.from(Array.from({ length: 1 + random(64) }, () => random(256))),
  ]
  return (mutations[random(mutations.length)] as () => Buffer)()
}
