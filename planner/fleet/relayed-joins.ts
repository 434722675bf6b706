import { type JoinTopic, printJoinTopic } from '../../shared/messages/index.ts'
import { UnreachableError } from './errors.ts'

type Take = (topic: string, bytes: Uint8Array) => void
type Publish = (topic: string, bytes: Uint8Array) => Promise<void>

/** Requests for certificates that come through a broker elsewhere, on the planner's one connection to it. */
export class RelayedJoins {
  #take: Take | undefined
  #publish: Publish | undefined

  /** By the connection: a request came. */
  receive(topic: string, bytes: Uint8Array): void {
    this.#take?.(topic, bytes)
  }

  /** By the connection: how answers leave. */
  answerWith(publish: Publish): void {
    this.#publish = publish
  }

  async subscribeJoins(_fleet: string, take: Take): Promise<() => Promise<void>> {
    this.#take = take
    return async () => {
      this.#take = undefined
    }
  }

  publishToClient(to: JoinTopic, bytes: Uint8Array): Promise<void> {
    return this.#publish
      ? this.#publish(printJoinTopic(to), bytes)
      : Promise.reject(new UnreachableError('no connection to the broker'))
  }
}
