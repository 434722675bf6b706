import { AppError } from '../../shared/errors.ts'
import { type Assignment, assignmentSchema } from '../../shared/messages/index.ts'
import type { RuntimeName } from '../../shared/runtime/index.ts'
import { type Signed, type TrustedKey, verifySigned } from '../../shared/signatures/index.ts'
import { formatBytes } from '../../shared/units.ts'

export type RefusedCode =
  | 'malformed-assignment'
  | 'wrong-device'
  | 'expired'
  | 'rollback'
  | 'not-a-variant'
  | 'wrong-runtime'
  | 'memory-limit'
  | 'too-many-probes'

/** An order this device will not follow. Signature and storage have errors of their own. */
export class OrderRefused extends AppError {
  readonly code: RefusedCode

  constructor(code: RefusedCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message, details)
    this.code = code
  }
}

/** What an assignment is held against. */
export interface Acceptance {
  readonly device: string
  readonly trusted: TrustedKey
  readonly now: Date
  readonly runtimes: readonly RuntimeName[]
  readonly memoryLimitBytes: number | null
  /** The highest counter accepted so far for a model, and the variant it named. */
  latest(model: string): { readonly counter: number; readonly variant: string } | undefined
}

/**
 * The assignment in the envelope, once everything that can be checked without the disk was.
 * @throws SignatureError, OrderRefused
 */
export function acceptAssignment(signed: Signed, against: Acceptance): Assignment {
  // 1. The trusted key vouches for the bytes; nothing of them is read before.
  const assignment = parseAssignment(verifySigned(signed, against.trusted, 'assignment'))
  // 2. … 7.
  for (const check of CHECKS) {
    const refused = check(assignment, against)
    if (refused) throw refused
  }
  return assignment
}

/** For naming what is refused: believed in nothing else. */
export function parseAssignment(payload: string): Assignment {
  try {
    return assignmentSchema.parse(JSON.parse(payload))
  } catch {
    throw new OrderRefused('malformed-assignment', 'the signed text is no assignment of version 1')
  }
}

type Check = (assignment: Assignment, against: Acceptance) => OrderRefused | undefined

const CHECKS: readonly Check[] = [
  // 2. Meant for this device: another's assignment must not be replayed here.
  ({ device }, against) =>
    device === against.device
      ? undefined
      : new OrderRefused('wrong-device', `assigned to ${device}, but this is ${against.device}`),

  // 3. Fresh. Only the end is checked: a device without a clock battery starts in the past.
  ({ expiresAt }, { now }) =>
    now <= new Date(expiresAt)
      ? undefined
      : new OrderRefused('expired', `expired at ${expiresAt}, and here it is ${now.toISOString()}`),

  // 4. Never back. The same counter may be said again for the same variant.
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

  // 5. A variant is named by its bytes.
  ({ variant, artifact }) =>
    variant === artifact.digest
      ? undefined
      : new OrderRefused('not-a-variant', 'variant and artifact have different digests'),

  // 6. Something here can run it.
  ({ runtime }, { runtimes }) =>
    runtimes.includes(runtime)
      ? undefined
      : new OrderRefused(
          'wrong-runtime',
          `needs ${runtime}, but this device has ${runtimes.join(', ') || 'no runtime'}`,
        ),

  // 7. It cannot need less memory than it has bytes.
  ({ artifact }, { memoryLimitBytes }) =>
    memoryLimitBytes === null || artifact.bytes <= memoryLimitBytes
      ? undefined
      : new OrderRefused(
          'memory-limit',
          `has ${formatBytes(artifact.bytes)}, over the memory limit of ${formatBytes(memoryLimitBytes)}`,
        ),
]
