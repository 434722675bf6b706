import type { HeardOrder } from '../../shared/messages/index.ts'

/** What all simulated devices of a run saw, counted. */
export class Ledger {
  births = 0
  birthsReceipted = 0
  /** Reports said for the first time. */
  reports = 0
  reportsSent = 0
  receipted = 0
  /** When each device had it, monotonic ms. */
  readonly installedAt: number[] = []
  wantsSent = 0
  blocks = 0
  downloads = 0
  /** Of those, from a copy. */
  pulls = 0
  wrongDigests = 0
  /** Signatures held against what this device believes. */
  verified = 0
  notVerified: string[] = []
  unreadable = 0
  dropped = new Map<string, number>()
  /** By kind: how many orders came, and how many of them were new to their device. */
  readonly orders = new Map<string, { sent: number; needed: number }>()
  /** When the last order of a kind was first heard, monotonic ms. */
  readonly lastNew = new Map<string, number>()
  readonly firstNew = new Map<string, number>()

  heard(order: HeardOrder, isNew: boolean): void {
    const tally = this.orders.get(order.kind) ?? { sent: 0, needed: 0 }
    tally.sent += 1
    if (isNew) {
      tally.needed += 1
      const now = performance.now()
      this.lastNew.set(order.kind, now)
      if (!this.firstNew.has(order.kind)) this.firstNew.set(order.kind, now)
    }
    this.orders.set(order.kind, tally)
  }

  get installs(): number {
    return this.installedAt.length
  }

  downloaded(isRight: boolean): void {
    this.downloads += 1
    if (!isRight) this.wrongDigests += 1
  }

  down(reason: string): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + 1)
  }
}
