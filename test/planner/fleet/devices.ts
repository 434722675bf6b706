import { connectAsync, type MqttClient } from 'mqtt'
import type { Test } from 'tap'
import type { BlockFrame } from '../../../shared/messages/block-frame.ts'
import type { HeardOrder, OrderKind, OrderOf } from '../../../shared/messages/orders.ts'
import { parseMessage, printMessage } from '../../../shared/messages/parse-message.ts'
import { type Channel, printTopic } from '../../../shared/messages/topics.ts'
import { printMissing } from '../../../shared/messages/want.ts'
import { sampleBirth } from '../../shared/messages/samples.ts'

/** A device that says what it is told and keeps what it hears. */
export class SpokenDevice {
  readonly name: string
  readonly client: MqttClient
  readonly orders: HeardOrder[] = []
  readonly blocks: BlockFrame[] = []
  #connection = 0

  private constructor(name: string, client: MqttClient) {
    this.name = name
    this.client = client
    client.on('error', () => {})
    client.on('message', (topic, bytes) => {
      const parsed = parseMessage(topic, bytes)
      if (!parsed.ok) return
      const { message } = parsed
      if (message.channel === 'orders') this.orders.push(message.payload)
      if (message.channel === 'blocks') this.blocks.push(message.payload)
    })
  }

  static async connect(t: Test, port: number, name: string): Promise<SpokenDevice> {
    const will = {
      topic: printTopic({ fleet: 'default', device: name, channel: 'death' }),
      payload: printMessage('death', { v: 1, epoch: { start: name, connection: 0 } }),
      qos: 1 as const,
    }
    for (let tries = 1; ; tries++) {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
        clientId: `default/${name}`,
        reconnectPeriod: 0,
        will,
      })
      t.teardown(() => client.end(true))
      const device = new SpokenDevice(name, client)
      try {
        await client.subscribeAsync([device.topic('orders'), device.topic('blocks')], { qos: 1 })
        return device
      } catch (error) {
        // RabbitMQ may end a session while it still ends the one of the same name before, from another test.
        if (tries === 5) throw error
      }
    }
  }

  topic(channel: Channel): string {
    return printTopic({ fleet: 'default', device: this.name, channel })
  }

  async say(channel: Channel, payload: object | Buffer): Promise<void> {
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload))
    await this.client.publishAsync(this.topic(channel), bytes, { qos: 1 })
  }

  async sayBirth(connection = this.#connection): Promise<void> {
    this.#connection = connection
    const id = `birth-${connection}`
    await this.say('birth', sampleBirth({ id, epoch: { start: this.name, connection } }))
  }

  async want(artifact: string, blocks: readonly number[], credit?: number): Promise<void> {
    await this.say('want', this.wantBytes(artifact, blocks, credit))
  }

  wantBytes(artifact: string, blocks: readonly number[], credit = 2 ** 22): Buffer {
    const from = Math.min(...blocks)
    const id = `want-${Math.random()}`
    const missing = printMissing(from, blocks)
    return printMessage('want', { v: 1, id, artifact, from, missing, credit })
  }

  ordersOf<K extends OrderKind>(kind: K): OrderOf<K>[] {
    return this.orders.filter((order): order is OrderOf<K> => order.kind === kind)
  }

  receipts(): string[] {
    return this.ordersOf('receipt').flatMap(({ reports }) => reports)
  }
}

/** Waits, for as long as the test's own time limit lets it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}
