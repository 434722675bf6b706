import type { ReportOf } from '../../shared/messages/index.ts'
import { afterReport, type MemberState, standingOf } from '../rollout/index.ts'
import { type Db, orders, type RolloutDevice, rollouts } from '../storage/index.ts'

/**
 * The members that a batch of reports is about: read together, moved in memory, written once. An installation says five
 * things within a second or two; only the last of them is worth a row's writing.
 */
export class MemberBook {
  readonly #db: Db
  readonly #byOrder: Map<string, RolloutDevice>
  readonly #changed = new Set<string>()

  /** @param byOrder by the orders of the batch's installations */
  constructor(db: Db, byOrder: ReadonlyMap<string, RolloutDevice>) {
    this.#db = db
    this.#byOrder = new Map(byOrder)
  }

  byOrder(order: string): RolloutDevice | undefined {
    return this.#byOrder.get(order)
  }

  /** Applies a report; false where it tells nothing new. @param error what failed, or what it waits for */
  report(
    member: RolloutDevice,
    reported: ReportOf<'install'>['state'],
    error: string | null,
  ): boolean {
    // Where it waits, for whom it does may change.
    const waits = member.state === 'installed' && reported === member.state
    const isNews = waits && error !== null && error !== member.error
    const state: MemberState | undefined = isNews
      ? member.state
      : afterReport(member.state, reported)
    if (!state || member.orderId === null) return false
    this.#byOrder.set(member.orderId, { ...member, state, error })
    this.#changed.add(member.orderId)
    return true
  }

  /** Somebody else wrote it. */
  forget(order: string | null): void {
    if (order === null) return
    this.#byOrder.delete(order)
    this.#changed.delete(order)
  }

  async write(at: Date): Promise<void> {
    const settled: string[] = []
    for (const order of this.#changed) {
      const member = this.#byOrder.get(order)
      if (!member) continue
      const { state, error } = member
      await rollouts.setMemberState(this.#db, member, { state, error }, at)
      if (standingOf(state) !== 'under-way') settled.push(order)
    }
    this.#changed.clear()
    await orders.closeOrders(this.#db, settled)
  }
}
