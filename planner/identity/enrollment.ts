import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import {
  type JoinAnswer,
  type JoinTopic,
  parseJoinRequest,
  parseJoinTopic,
} from '../../shared/messages/index.ts'
import { SerialQueue } from '../../shared/serial-queue.ts'
import { SparseLog } from '../../shared/sparse-log.ts'
import type { Registrar } from './registrar.ts'

/** What enrollment asks of a broker, in this process or elsewhere. */
export interface JoinTransport {
  subscribeJoins(
    fleet: string,
    take: (topic: string, bytes: Uint8Array) => void,
  ): Promise<() => Promise<void>>
  publishToClient(to: JoinTopic, bytes: Uint8Array): Promise<void>
}

export interface Enrollment {
  close(): Promise<void>
}

export interface EnrollmentOptions {
  readonly fleet: string
  readonly log: Logger
  /** Whether who joins under this name is answered here, and not by another planner; default: always. */
  readonly isMine?: (joiner: string) => boolean
}

/** Requests that wait: more are dropped, and asked again by who sent them. */
const MOST_WAITING = 256

/** Answers requests for certificates, one at a time: a flood of them takes no more than one core's turn. */
export async function openEnrollment(
  transport: JoinTransport,
  registrar: Registrar,
  { fleet, log, isMine = () => true }: EnrollmentOptions,
): Promise<Enrollment> {
  const refusals = new SparseLog(log)
  const queue = new SerialQueue()
  const serve = async (topic: JoinTopic, bytes: Uint8Array) => {
    try {
      const request = parseJoinRequest(bytes)
      if (request === undefined) return refusals.warn({ ...topic }, 'an unreadable join request')
      const answer = await registrar.answer(request)
      tell(answer, topic)
      const to: JoinTopic = { ...topic, channel: 'answer' }
      await transport.publishToClient(to, Buffer.from(JSON.stringify(answer)))
    } catch (error) {
      refusals.warn({ ...topic, reason: messageOf(error) }, 'a join request was not answered')
    }
  }
  const tell = (answer: JoinAnswer, { joiner }: JoinTopic) => {
    if (answer.outcome === 'issued') log.info({ joiner }, 'certificate issued')
    else refusals.warn({ joiner, reason: answer.error.code }, 'certificate refused')
  }
  const unsubscribe = await transport.subscribeJoins(fleet, (text, bytes) => {
    const topic = parseJoinTopic(text)
    if (topic === undefined || !isMine(topic.joiner) || queue.size >= MOST_WAITING) return
    void queue.run(() => serve(topic, bytes))
  })
  return {
    async close() {
      await unsubscribe()
      await queue.settled()
    },
  }
}
