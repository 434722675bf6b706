import type { MqttClient } from 'mqtt'
import t from 'tap'
import { ACCESS, type Action } from '../../broker/access.ts'
import type { Role } from '../../broker/identity.ts'
import {
  CHANNELS,
  type Channel,
  JOIN_CHANNELS,
  type JoinChannel,
  joinFilter,
  printJoinTopic,
} from '../../shared/messages/topics.ts'
import { connectDevice, connectPlanner, SECRET, testBroker, topicOf, until } from './clients.ts'
import { connectTls, credentialsFrom, device, tlsBroker } from './tls-broker.ts'

const channels = Object.keys(CHANNELS) as Channel[]
const joinChannels = Object.keys(JOIN_CHANNELS) as JoinChannel[]

/** What each role may reach, by topic; every pair of role and topic that is not listed is denied. */
function mayReach(role: Role, action: Action, topic: string): boolean {
  const join = joinChannels.find((known) => topic.endsWith(`/${known}`))
  if (join !== undefined && topic.startsWith('fit/1/default/join/')) {
    const joiner = topic.split('/')[4]
    const fromAgent = JOIN_CHANNELS[join].from === 'agent'
    if (role === 'device') return false
    if (joiner !== '+' && !joiner?.startsWith('join:default:')) return false
    if (role === 'bootstrap')
      return joiner === 'join:default:own' && fromAgent === (action === 'publish')
    return action === 'publish' ? joiner !== '+' && !fromAgent : fromAgent
  }
  if (role === 'bootstrap') return false
  const channel = channels.find((known) => topic.endsWith(`/${known}`))
  if (channel === undefined || !topic.startsWith('fit/1/default/d/')) return false
  const device = topic.split('/')[4]
  const fromAgent = CHANNELS[channel].from === 'agent'
  if (role === 'device') return device === 'own' && fromAgent === (action === 'publish')
  if (action === 'publish') return device !== '+' && !fromAgent
  return fromAgent
}

const joinTopicOf = (joiner: string, channel: JoinChannel, fleet = 'default') =>
  printJoinTopic({ fleet, joiner, channel })

const topics = [
  ...joinChannels.map((channel) => joinTopicOf('own', channel)),
  ...joinChannels.map((channel) => joinTopicOf('other', channel)),
  ...joinChannels.map((channel) => joinTopicOf('own', channel, 'elsewhere')),
  'fit/1/default/join/own',
  'fit/1/default/join/own/request',
  'fit/1/default/join/join:elsewhere:own/answer',
  ...channels.map((channel) => topicOf('own', channel)),
  ...channels.map((channel) => topicOf('other', channel)),
  ...channels.map((channel) => topicOf('own', channel, 'elsewhere')),
  'home/lamp',
  'fit/1/default/d/own',
  'fit/1/default/d/own/birth/deeper',
  'fit/2/default/d/own/birth',
  '$SYS/broker/uptime',
  '$SYS/nowhere',
]
const filters = [
  ...topics,
  ...channels.map((channel) => `fit/1/default/d/+/${channel}`),
  ...channels.map((channel) => `$share/group/fit/1/default/d/own/${channel}`),
  ...joinChannels.map((channel) => joinFilter('default', channel)),
  ...joinChannels.map((channel) => joinFilter('elsewhere', channel)),
  'fit/1/default/join/join:default:own/#',
  '#',
  '+/+/+/+/+/+',
  'fit/#',
  'fit/1/+/d/own/orders',
  'fit/1/default/d/own/#',
  'fit/1/default/d/own/+',
  '$SYS/#',
]

t.test('the table says of each channel what CHANNELS says', async (t) => {
  for (const channel of channels) {
    const fromAgent = CHANNELS[channel].from === 'agent'
    t.strictSame(ACCESS.device[channel], [fromAgent ? 'publish' : 'subscribe'])
    t.strictSame(ACCESS.planner[channel], [fromAgent ? 'subscribe' : 'publish'])
    t.strictSame(ACCESS.bootstrap[channel], [])
  }
  for (const channel of joinChannels) {
    const fromAgent = JOIN_CHANNELS[channel].from === 'agent'
    t.strictSame(ACCESS.bootstrap[channel], [fromAgent ? 'publish' : 'subscribe'])
    t.strictSame(ACCESS.planner[channel], [fromAgent ? 'subscribe' : 'publish'])
    t.strictSame(ACCESS.device[channel], [])
  }
})

t.test('role × topic × action', async (t) => {
  const fleets = ['default', 'elsewhere']
  // A joiner of this test says more than one request.
  const there = await tlsBroker(t, { fleets, limits: { joiningMessages: 1_000 } })
  const { broker, authority, clock } = there
  const enter = async (clientId: string, name?: Parameters<typeof credentialsFrom>[1]) =>
    connectTls(t, there, clientId, name && (await credentialsFrom(authority, name, clock)))
  const clients: Record<Role, MqttClient> = {
    device: await enter('default/own', device('own')),
    planner: await enter('planner:default:1', { role: 'planner', fleet: 'default' }),
    bootstrap: await enter('join:default:own'),
  }
  const arrived = await watchEverything(broker, fleets)
  const delivered = new Set<string>()
  for (const id of ['own', 'other', 'elsewhere/own']) {
    const receiver = await watchDevice(id)
    receiver.on('message', (topic) => delivered.add(topic))
  }
  for (const id of ['own', 'other', 'elsewhere/own']) {
    const receiver = await watchJoiner(id)
    receiver.on('message', (topic) => delivered.add(topic))
  }

  for (const [role, client] of Object.entries(clients) as [Role, MqttClient][]) {
    for (const filter of filters) {
      const allowed = mayReach(role, 'subscribe', filter)
      // One at a time: the library names the refused ones by throwing.
      const granted = await client.subscribeAsync(filter, { qos: 1 }).then(
        (grants) => grants.every(({ qos }) => qos < 128),
        () => false,
      )
      t.equal(granted, allowed, `${role} ${allowed ? 'subscribes' : 'cannot subscribe'} ${filter}`)
    }
    for (const topic of topics) {
      arrived.clear()
      delivered.clear()
      await client.publishAsync(topic, 'x', { qos: 1, retain: true })
      const allowed = mayReach(role, 'publish', topic)
      const seen = () => arrived.has(topic) || delivered.has(topic)
      if (allowed) await until(seen)
      else await settled(clients.device)
      t.equal(seen(), allowed, `${role} ${allowed ? 'publishes' : 'cannot publish'} ${topic}`)
    }
    t.ok(client.connected, `${role} is still connected`)
  }

  /** The device's own receiver: it takes over the client id of nobody, since its id is spelled out. */
  async function watchDevice(id: string) {
    const [fleet = '', name = ''] = id.includes('/') ? id.split('/') : ['default', id]
    const isOwn = id === 'own'
    const receiver = isOwn ? clients.device : await enter(`${fleet}/${name}`, device(name, fleet))
    for (const channel of ['orders', 'blocks'] as const) {
      await receiver.subscribeAsync(topicOf(name, channel, fleet), { qos: 1 })
    }
    return receiver
  }

  async function watchJoiner(id: string) {
    const [fleet = '', name = ''] = id.includes('/') ? id.split('/') : ['default', id]
    const receiver = id === 'own' ? clients.bootstrap : await enter(`join:${fleet}:${name}`)
    await receiver.subscribeAsync(joinTopicOf(name, 'answer', fleet), { qos: 1 })
    return receiver
  }
})

t.test('nothing is retained, whoever asks', async (t) => {
  const broker = await testBroker(t)
  const device = await connectDevice(t, broker.port, 'pi-1')
  await device.publishAsync(topicOf('pi-1', 'birth'), 'x', { qos: 1, retain: true })
  const planner = await connectPlanner(t, broker.port)
  const seen: string[] = []
  planner.on('message', (topic) => seen.push(topic))
  await planner.subscribeAsync('fit/1/default/d/+/birth')
  await device.publishAsync(topicOf('pi-1', 'reports'), 'x', { qos: 1 })
  await settled(planner)
  t.strictSame(seen, [])
})

const refused: readonly [string, { clientId: string; username?: string; password?: string }][] = [
  ['a planner without the secret', { clientId: 'planner:default:1', username: 'planner' }],
  [
    'a planner with another secret',
    { clientId: 'planner:default:1', username: 'planner', password: 'guess' },
  ],
  ['a planner under a device id', { clientId: 'pi-1', username: 'planner', password: SECRET }],
  [
    'a planner of an unknown fleet',
    { clientId: 'planner:moon:1', username: 'planner', password: SECRET },
  ],
  ['a device under a planner id', { clientId: 'planner:default:1' }],
  ['a device of an unknown fleet', { clientId: 'moon/pi-1' }],
  ['a device name that topics cannot carry', { clientId: 'a+b' }],
  ['a device named $SYS', { clientId: '$SYS' }],
  ['no name', { clientId: '' }],
]
for (const [name, options] of refused) {
  t.test(`does not let in ${name}`, async (t) => {
    const broker = await testBroker(t)
    await t.rejects(connectDevice(t, broker.port, options.clientId, options), { code: 5 })
  })
}

t.test('a device name alone is not enough where several fleets are served', async (t) => {
  const broker = await testBroker(t, { fleets: ['a', 'b'] })
  await t.rejects(connectDevice(t, broker.port, 'pi-1'), { code: 5 })
  await connectDevice(t, broker.port, 'b/pi-1')
  t.strictSame(broker.connectedClients(), [{ role: 'device', fleet: 'b', device: 'pi-1' }])
})

async function watchEverything(
  broker: Awaited<ReturnType<typeof testBroker>>,
  fleets: readonly string[],
): Promise<Set<string>> {
  const arrived = new Set<string>()
  for (const fleet of fleets)
    for (const channel of channels)
      await broker.subscribe(fleet, channel, (topic) => arrived.add(topic))
  for (const fleet of fleets) await broker.subscribeJoins(fleet, (topic) => arrived.add(topic))
  return arrived
}

/** Everything this client said before has been dealt with: a broker answers in order. */
async function settled(client: MqttClient): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await client.unsubscribeAsync('fit/1/default/d/nobody/orders')
  }
}
