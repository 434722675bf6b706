import type { Connection } from './connection.ts'
import type { Devices } from './devices.ts'
import type { DoorRules } from './door.ts'
import type { BrokerFigures } from './figures.ts'
import type { Identity } from './identity.ts'
import type { Joining } from './joining.ts'
import type { Planners } from './planners.ts'
import { Session, type SessionHost } from './session.ts'

export interface MembersOptions {
  readonly devices: Devices
  readonly joining: Joining
  readonly planners: Planners
  readonly figures: BrokerFigures
  /** Asked when somebody comes in, and again at every `recheck`. */
  readonly isWelcome: (identity: Identity) => boolean
  readonly host: Omit<SessionHost, 'ended' | 'mayPublish'>
}

/** Who is connected, from the moment that they are let in until the connection closes. */
export class Members {
  readonly #options: MembersOptions
  readonly #host: SessionHost
  readonly #sessions = new Set<Session>()

  constructor(options: MembersOptions) {
    const { devices, joining } = options
    this.#options = options
    this.#host = {
      ...options.host,
      mayPublish: (session) => joining.mayPublish(session),
      ended: (session) => {
        this.#sessions.delete(session)
        devices.leave(session)
        joining.leave(session)
      },
    }
  }

  get present(): readonly Identity[] {
    const open = [...this.#sessions].filter(({ isClosed }) => !isClosed)
    return [...open.map(({ identity }) => identity), ...this.#options.planners.present.values()]
  }

  enter(
    connection: Connection,
    identity: Identity,
    { packet, frame }: Parameters<DoorRules['enter']>[2],
  ): void {
    const { devices, joining, planners, figures, isWelcome } = this.#options
    // What was revoked meanwhile.
    if (!isWelcome(identity)) {
      connection.close()
      return
    }
    if (identity.role === 'planner') {
      planners.enter(connection, identity, frame)
      return
    }
    const session = new Session(connection, packet, identity, this.#host)
    // Who only asks for a certificate needs no larger frames.
    connection.admit(session, { isLarge: identity.role === 'device', isPaced: true })
    this.#sessions.add(session)
    devices.enter(session)
    if (identity.role === 'bootstrap') joining.enter(session)
    figures.letIn()
    session.begin()
  }

  /** Closes who is no longer welcome, at once; answers how many. */
  recheck(): number {
    const { planners, isWelcome } = this.#options
    const unwelcome = [
      ...[...this.#sessions].filter(({ identity }) => !isWelcome(identity)),
      ...[...planners.present].filter(([, identity]) => !isWelcome(identity)).map(([one]) => one),
    ]
    for (const one of unwelcome) one.close()
    return unwelcome.length
  }
}
