import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { MqttClient } from 'mqtt'
import { messageOf } from '../../shared/errors.ts'
import { IdentityError } from '../../shared/identity/index.ts'
import {
  type JoinAnswer,
  type JoinRequest,
  parseJoinAnswer,
  printJoinerId,
  printJoinTopic,
} from '../../shared/messages/index.ts'

export interface ExchangeOptions {
  readonly url: string
  readonly fleet: string
  readonly request: JoinRequest
  readonly timeoutMs: number
  /** A TLS socket that believes the right authority, without a certificate of this device. */
  open(): Duplex
}

/** A planner that was away when it was asked hears it again; asking twice is no second use of a token. */
const REPEAT_MS = 5_000

/** Asks for a certificate and hears the answer, on a connection of its own. @throws IdentityError `broker-unreachable` */
export async function exchange(options: ExchangeOptions): Promise<JoinAnswer> {
  const { url, fleet, request, timeoutMs } = options
  const joiner = randomUUID()
  const client = new MqttClient(() => options.open(), {
    clientId: printJoinerId({ fleet, joiner }),
    protocolVersion: 4,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: timeoutMs,
  })
  let repeat: NodeJS.Timeout | undefined
  const answerTopic = printJoinTopic({ fleet, joiner, channel: 'answer' })
  try {
    return await new Promise<JoinAnswer>((resolve, reject) => {
      const fail = (reason: string) => reject(unreachable(url, reason))
      const timer = setTimeout(() => fail(`no answer in ${timeoutMs / 1000} s`), timeoutMs)
      client.once('close', () => {
        clearTimeout(timer)
        fail('the broker closed the connection')
      })
      client.on('error', (error) => fail(messageOf(error)))
      client.on('message', (topic, payload) => {
        const answer = topic === answerTopic ? parseJoinAnswer(payload) : undefined
        if (answer?.request === request.id) resolve(answer)
      })
      client.once('connect', () => {
        client.subscribe(answerTopic, { qos: 1 }, (error, granted) => {
          if (error || granted?.some(({ qos }) => qos > 2)) fail('the broker lets nobody join')
          else {
            const topic = printJoinTopic({ fleet, joiner, channel: 'request' })
            const ask = () => client.publish(topic, JSON.stringify(request), { qos: 1 })
            repeat = setInterval(ask, REPEAT_MS)
            ask()
          }
        })
      })
    })
  } finally {
    clearInterval(repeat)
    client.end(true)
  }
}

function unreachable(url: string, reason: string): IdentityError {
  const message = `${url} gives no certificate (${reason}): check that planner and broker run, then try again`
  return new IdentityError('broker-unreachable', message, { url })
}
