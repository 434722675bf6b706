import { connect as connectSocket, type Socket } from 'node:net'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { generate, type Packet } from 'mqtt-packet'
import type { Test } from 'tap'
import { type Broker, type BrokerOptions, startBroker } from '../../broker/start-broker.ts'
import { type Channel, printTopic } from '../../shared/messages/topics.ts'

export const SECRET = 'only the planner knows'

export async function testBroker(t: Test, options: Partial<BrokerOptions> = {}): Promise<Broker> {
  const broker = await startBroker({ fleets: ['default'], plannerSecret: SECRET, ...options })
  t.teardown(() => broker.close())
  return broker
}

export async function connectDevice(
  t: Pick<Test, 'teardown'>,
  port: number,
  device: string,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId: device,
    reconnectPeriod: 0,
    ...options,
  })
  client.on('error', () => {})
  t.teardown(() => client.end(true))
  return client
}

export function connectPlanner(t: Test, port: number, fleet = 'default'): Promise<MqttClient> {
  const clientId = `planner:${fleet}:${Math.random()}`
  return connectDevice(t, port, clientId, { username: 'planner', password: SECRET })
}

/** A socket that says what it is told and nothing else. */
export async function rawSocket(t: Pick<Test, 'teardown'>, port: number): Promise<Socket> {
  const socket = connectSocket(port, '127.0.0.1')
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

/** A socket that is let in as a device. */
export async function rawDevice(
  t: Pick<Test, 'teardown'>,
  port: number,
  ...connect: Parameters<typeof connectPacket>
): Promise<Socket> {
  const socket = await rawSocket(t, port)
  const letIn = nextBytes(socket)
  socket.write(connectPacket(...connect))
  await letIn
  return socket
}

/** Connected and subscribed to its blocks, then never reading again. */
export async function frozenDevice(
  t: Pick<Test, 'teardown'>,
  port: number,
  device: string,
): Promise<Socket> {
  const socket = await rawDevice(t, port, device)
  const granted = nextBytes(socket)
  socket.write(
    generate({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: topicOf(device, 'blocks'), qos: 0 }],
    } as Packet),
  )
  await granted
  socket.pause()
  return socket
}

export function connectPacket(clientId: string, keepalive = 60, more: object = {}): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId,
    keepalive,
    ...more,
  } as Packet)
}

export function nextBytes(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => socket.once('data', resolve))
}

export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve()
    else socket.once('close', () => resolve())
  })
}

export function topicOf(device: string, channel: Channel, fleet = 'default'): string {
  return printTopic({ fleet, device, channel })
}

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}
