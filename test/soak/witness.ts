import type { Message } from '../../shared/messages/index.ts'

/** What was promised on the wire. Whoever promised may be dead since: the promise holds all the same. */
export class Witness {
  /** Receipts: device → reports the planner says it has stored, not looked up in its database yet. */
  readonly #receipts = new Map<string, Set<string>>()
  readonly #births = new Set<string>()
  /** Assignments that went to a device, by order. */
  readonly #told = new Map<string, string>()
  /** Those of them the device says it has on its disk. */
  readonly accepted = new Map<string, string>()
  receipted = 0
  installs = 0
  rollbacks = 0

  hear({ channel, device, payload }: Message): void {
    if (channel === 'birth') this.#births.add(payload.id)
    if (channel === 'orders' && payload.kind === 'assign') this.#told.set(payload.id, device)
    if (channel === 'orders' && payload.kind === 'receipt') this.#promise(device, payload.reports)
    if (channel !== 'reports') return
    if (payload.kind === 'ack' && this.#told.has(payload.order)) {
      this.accepted.set(payload.order, device)
    }
    if (payload.kind === 'install' && payload.state === 'active') this.installs += 1
    if (payload.kind === 'install' && payload.state === 'rolled-back') this.rollbacks += 1
  }

  /** Takes the receipts since the last call: they are for the caller to look up. */
  takeReceipts(): (readonly [device: string, report: string])[] {
    const taken = [...this.#receipts].flatMap(([device, ids]) =>
      [...ids].map((id) => [device, id] as const),
    )
    this.#receipts.clear()
    return taken
  }

  #promise(device: string, ids: readonly string[]): void {
    const promised = this.#receipts.get(device) ?? new Set()
    for (const id of ids.filter((id) => !this.#births.has(id))) {
      promised.add(id)
      this.receipted += 1
    }
    this.#receipts.set(device, promised)
  }
}
