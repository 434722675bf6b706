import type { Identity } from './identity.ts'
import type { BrokerLimits } from './limits.ts'
import type { Session } from './session.ts'

/** Clients without a certificate: anybody can be one, so there are few, they say little, and they go soon. */
export class Joining {
  readonly #limits: Pick<BrokerLimits, 'joining' | 'joiningMs' | 'joiningMessages'>
  readonly #here = new Map<Session, { said: number; readonly timer: NodeJS.Timeout }>()

  constructor(limits: Pick<BrokerLimits, 'joining' | 'joiningMs' | 'joiningMessages'>) {
    this.#limits = limits
  }

  hasRoomFor({ role }: Identity): boolean {
    return role !== 'bootstrap' || this.#here.size < this.#limits.joining
  }

  /** Its connection is closed in time. */
  enter(session: Session): void {
    const timer = setTimeout(() => session.close(), this.#limits.joiningMs).unref()
    this.#here.set(session, { said: 0, timer })
  }

  leave(session: Session): void {
    clearTimeout(this.#here.get(session)?.timer)
    this.#here.delete(session)
  }

  mayPublish(session: Session): boolean {
    if (session.identity.role !== 'bootstrap') return true
    const one = this.#here.get(session)
    if (one === undefined) return false
    one.said += 1
    return one.said <= this.#limits.joiningMessages
  }
}
