import type { Client } from 'aedes'
import type { Identity } from './identity.ts'
import type { BrokerLimits } from './limits.ts'

/** Clients without a certificate: anybody can be one, so there are few, they say little, and they go soon. */
export class Joining {
  readonly #limits: Pick<BrokerLimits, 'joining' | 'joiningMs' | 'joiningMessages'>
  readonly #said = new Map<Client, number>()

  constructor(limits: Pick<BrokerLimits, 'joining' | 'joiningMs' | 'joiningMessages'>) {
    this.#limits = limits
  }

  hasRoomFor({ role }: Identity): boolean {
    return role !== 'bootstrap' || this.#said.size < this.#limits.joining
  }

  /** Counts the client until its connection closes, and closes it in time. */
  enter(client: Client): void {
    this.#said.set(client, 0)
    const timer = setTimeout(() => client.close(), this.#limits.joiningMs).unref()
    client.conn.once('close', () => {
      clearTimeout(timer)
      this.#said.delete(client)
    })
  }

  mayPublish({ role }: Identity, client: Client): boolean {
    if (role !== 'bootstrap') return true
    const said = (this.#said.get(client) ?? 0) + 1
    this.#said.set(client, said)
    return said <= this.#limits.joiningMessages
  }
}
