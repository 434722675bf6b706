import type { Shipment } from '../../../shared/trust/index.ts'
import type { BlockSource } from '../../artifacts/index.ts'
import type { Outcome, Recipient } from '../../ddi/index.ts'
import type { Shipped, TrustedAssignment } from '../../trust/index.ts'
import type { AgentContext } from '../agent-context.ts'
import { artifactsOfAssignment, besides } from '../install/wanted-artifacts.ts'
import { acceptanceOf } from './acceptance-of.ts'
import { type Acceptance, requireAcceptable } from './admission.ts'

/** Connected silence after which a file of another updater is given up, ms. */
const SILENCE_MS = 600_000

export interface ShippedOptions extends Pick<Acceptance, 'memoryLimitBytes'> {
  readonly installer: { accept(order: string, assignment: TrustedAssignment): void }
}

/** Takes what another updater brings, as orders of the planner are taken. */
export class ShippedVariants implements Recipient {
  readonly #context: AgentContext
  readonly #options: ShippedOptions

  constructor(context: AgentContext, options: ShippedOptions) {
    this.#context = context
    this.#options = options
  }

  async believe(shipment: Shipment): Promise<readonly Shipped[]> {
    const { trust, store } = this.#context
    const all = await trust.verifyShipment(shipment)
    for (const shipped of all) {
      requireAcceptable(this.#counted(shipped), {
        ...acceptanceOf(this.#context, this.#options),
        // Nobody counts what another updater assigns: it may go from any variant of a release to any other.
        latest: () => undefined,
      })
      const refusal = await store.refusal(shipped.artifact)
      if (refusal) throw refusal
    }
    return all
  }

  async fetch(shipped: Shipped, source: BlockSource, signal: AbortSignal): Promise<() => void> {
    const { store } = this.#context
    const releases = artifactsOfAssignment(this.#counted(shipped)).map((file) => store.hold(file))
    const release = () => {
      for (const letGo of releases) letGo()
    }
    try {
      for (const file of [shipped.artifact, ...besides(this.#counted(shipped))])
        await store.fetch(file, { source, giveUpMs: SILENCE_MS, signal })
      return release
    } catch (error) {
      release()
      throw error
    }
  }

  accept(order: string, shipped: Shipped): void {
    this.#options.installer.accept(order, this.#counted(shipped))
  }

  async outcome(order: string, shipped: Shipped): Promise<Outcome> {
    const { slots, trust } = this.#context
    const { journal } = this.#context.ledger
    const { model, variant } = shipped
    const answer = journal.get('ended', order)?.answer
    if (answer?.kind === 'install') {
      const { state, error } = answer
      if (state === 'active') return { state: 'active', detail: saidOf(shipped, 'runs') }
      return {
        state: 'failed',
        detail: saidOf(shipped, `${state}: [${error?.code}] ${error?.message}`),
      }
    }
    const open = [journal.get('installation', model), journal.get('queued', model)]
    if (open.some((job) => job?.order === order)) return { state: 'open' }
    if ((await slots.links(model)).current !== variant) return { state: 'unknown' }
    await trust.installed(this.#counted(shipped))
    return { state: 'active', detail: saidOf(shipped, 'ran here before') }
  }

  #counted(shipped: Shipped): TrustedAssignment {
    const latest = this.#context.ledger.journal.get('counter', shipped.model)
    return { ...shipped, counter: latest?.counter ?? 1 }
  }
}

function saidOf({ model, revision, scheme, variant }: Shipped, what: string): string {
  const which = revision === undefined ? '' : ` revision ${revision}`
  return `${model}${which} ${scheme} ${variant.slice(0, 12)} ${what}`
}
