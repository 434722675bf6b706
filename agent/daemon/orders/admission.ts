import { AppError } from '../../../shared/errors.ts'
import { formatBytes } from '../../../shared/units.ts'
import { type Installable, isPackage } from '../../trust/index.ts'

export type RefusedCode =
  | 'rollback'
  | 'quarantined'
  | 'wrong-runtime'
  | 'memory-limit'
  | 'too-many-probes'
  | 'runtimes-not-accepted'

/** An order this device will not follow. What is not believed, and storage, have errors of their own. */
export class OrderRefused extends AppError {
  readonly code: RefusedCode

  constructor(code: RefusedCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message, details)
    this.code = code
  }
}

/** What an assignment that is believed is held against, beside the disk. */
export interface Acceptance {
  readonly memoryLimitBytes: number | null
  readonly acceptsRuntimes?: boolean | undefined
  /** Why a variant is not tried again here; `undefined`: nothing is known against it. */
  quarantine(variant: string): { readonly at: string; readonly message: string } | undefined
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
  ({ variant }, against) => {
    const known = against.quarantine(variant)
    return (
      known &&
      new OrderRefused(
        'quarantined',
        `it was given up here on ${known.at}: ${known.message}; a probe that succeeds here lifts that`,
        { variant },
      )
    )
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
