import { type Family, family } from '../shared/exposition/index.ts'
import type { Identity } from './identity.ts'

/** Why a connection was ended that had not asked for it: before its first byte, or for what it sent. */
type Refusal = 'not-admitted' | 'violation'

/** What goes through the broker, counted as it does. */
export class BrokerFigures {
  readonly #refused: Record<Refusal, number> = { 'not-admitted': 0, violation: 0 }
  #messages = 0
  #bytes = 0
  #connected = 0

  letIn(): void {
    this.#connected += 1
  }

  came(bytes: number): void {
    this.#messages += 1
    this.#bytes += bytes
  }

  refused(why: Refusal): void {
    this.#refused[why] += 1
  }

  /** @param present everybody who is connected */
  families(present: readonly Identity[]): readonly Family[] {
    const roles = new Map<string, number>()
    for (const { role } of present) roles.set(role, (roles.get(role) ?? 0) + 1)
    const count = (value: number) => [{ value }]
    return [
      family(
        'gauge',
        'fitment_broker_clients',
        'Clients that are connected, by role.',
        [...roles].map(([role, value]) => ({ labels: { role }, value })),
      ),
      family(
        'counter',
        'fitment_broker_connections_total',
        'Clients that were let in.',
        count(this.#connected),
      ),
      family(
        'counter',
        'fitment_broker_refused_total',
        'Connections that were ended for what they were or sent.',
        Object.entries(this.#refused).map(([why, value]) => ({ labels: { why }, value })),
      ),
      family(
        'counter',
        'fitment_broker_messages_total',
        'Messages that clients sent.',
        count(this.#messages),
      ),
      family(
        'counter',
        'fitment_broker_message_bytes_total',
        'Bytes of their payloads.',
        count(this.#bytes),
      ),
    ]
  }
}
