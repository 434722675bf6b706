import { engineWords } from '../../../shared/messages/index.ts'
import { formatBytes } from '../../../shared/units.ts'
import type { EngineName } from '../../engines/index.ts'
import { engineOf, type Installable, isPackage } from '../../trust/index.ts'
import { OrderRefused } from '../errors.ts'
import { quarantineKey } from '../install/quarantine.ts'

/** What an assignment that is believed is held against, beside the disk. */
export interface Acceptance {
  readonly memoryLimitBytes: number | null
  readonly acceptsRuntimes?: boolean | undefined
  hasEngine(engine: EngineName): boolean
  /** Why a variant is not tried again in an engine here; `undefined`: nothing is known against it. */
  quarantine(key: string): { readonly at: string; readonly message: string } | undefined
  /** The highest counter accepted so far for a model, and the variant it named. */
  latest(model: string): { readonly counter: number; readonly variant: string } | undefined
}

/** @throws OrderRefused */
export function requireAcceptable(assignment: Installable, against: Acceptance): void {
  for (const check of CHECKS) {
    const refused = check(assignment, against)
    if (refused) throw refused
  }
}

type Check = (assignment: Installable, against: Acceptance) => OrderRefused | undefined

const CHECKS: readonly Check[] = [
  // Never back, even where the trust store was lost. The same counter may be said again for the same variant.
  ({ model, counter, variant }, against) => {
    const latest = against.latest(model)
    if (!latest || counter > latest.counter) return undefined
    if (counter === latest.counter && variant === latest.variant) return undefined
    return new OrderRefused(
      'rollback',
      `counter ${counter} of ${model} is not above ${latest.counter}, which was accepted before`,
      { counter, latest: latest.counter },
    )
  },

  // What brought the runtime down here is not tried again, whoever asks.
  (assignment, against) => {
    const { variant } = assignment
    const known = against.quarantine(quarantineKey(variant, engineOf(assignment)))
    return (
      known &&
      new OrderRefused(
        'quarantined',
        `it was given up here on ${known.at}: ${known.message}; a probe that succeeds here lifts that`,
        { variant },
      )
    )
  },

  (assignment, { hasEngine }) => {
    const engine = engineOf(assignment)
    if (engine === undefined || hasEngine(engine)) return undefined
    const name = engineWords(engine.runtime, engine.accelerator)
    return new OrderRefused('wrong-runtime', `is to run on ${name}, which is not here`)
  },

  // Whoever runs the device decides whether it loads libraries that others send.
  (assignment, { acceptsRuntimes }) =>
    !isPackage(assignment) || acceptsRuntimes
      ? undefined
      : new OrderRefused(
          'runtimes-not-accepted',
          `brings ${assignment.runtime} ${assignment.version}, and this agent runs without --accept-runtimes`,
        ),

  // It cannot need less memory than it has bytes. The limit is one for models.
  (assignment, { memoryLimitBytes }) =>
    isPackage(assignment) ||
    memoryLimitBytes === null ||
    assignment.artifact.bytes <= memoryLimitBytes
      ? undefined
      : new OrderRefused(
          'memory-limit',
          `has ${formatBytes(assignment.artifact.bytes)}, over the memory limit of ${formatBytes(memoryLimitBytes)}`,
        ),
]
