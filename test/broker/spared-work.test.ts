import { createServer } from 'node:net'
import { Aedes } from 'aedes'
import t from 'tap'
import { spareWork } from '../../broker/spared-work.ts'
import { connectDevice, topicOf } from './clients.ts'

/** Three that a busy machine delays make a broker of its own an orphan for aedes. */
const HEARTBEAT_MS = 150

t.test(
  'aedes tells nobody of clients and keeps no topic of a device, and wills stay where they are',
  async (t) => {
    const aedes = await Aedes.createBroker({ heartbeatInterval: HEARTBEAT_MS })
    const subscribed: string[] = []
    const inside = aedes as unknown as {
      mq: { on: (topic: string, ...rest: unknown[]) => unknown }
    }
    const on = inside.mq.on.bind(inside.mq)
    inside.mq.on = (topic, ...rest) => {
      subscribed.push(topic)
      return on(topic, ...rest)
    }
    spareWork(aedes)
    const heard: string[] = []
    const hear = (packet: { topic: string }, done: () => void) => {
      heard.push(packet.topic)
      done()
    }
    const births = 'fit/1/default/d/+/birth'
    for (const filter of ['$SYS/#', births, 'fit/1/default/d/+/death'])
      await new Promise<void>((resolve) => aedes.subscribe(filter, hear, resolve))
    const server = createServer((socket) => void aedes.handle(socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    t.teardown(() => new Promise<void>((resolve) => aedes.close(resolve)))
    const { port } = server.address() as { port: number }
    const will = { topic: topicOf('pi-1', 'death'), payload: 'x', qos: 1 as const }
    const device = await connectDevice(t, port, 'default/pi-1', { will })
    const granted = await device.subscribeAsync([
      topicOf('pi-1', 'orders'),
      topicOf('pi-1', 'blocks'),
    ])
    t.same(
      granted.map(({ qos }) => qos),
      [0, 0],
      'granted all the same',
    )
    await device.publishAsync(topicOf('pi-1', 'birth'), 'x', { qos: 1 })
    await device.unsubscribeAsync(topicOf('pi-1', 'blocks'))
    const count = (end: string) => heard.filter((topic) => topic.endsWith(end)).length
    // Orphaned wills are looked for at every fourth.
    while (count('/heartbeat') < 12)
      await new Promise((resolve) => setTimeout(resolve, HEARTBEAT_MS))
    t.equal(count('/birth'), 1, 'what is read goes on')
    t.equal(count('/death'), 0)
    t.same(new Set(heard.map((topic) => topic.split('/').at(-1))), new Set(['heartbeat', 'birth']))
    t.same(subscribed, ['$SYS/#', births, 'fit/1/default/d/+/death'])
  },
)
