import type { AgentContext } from '../agent-context.ts'
import { isInForce } from '../install/quarantine.ts'
import type { Acceptance } from './admission.ts'

type Limits = Pick<Acceptance, 'memoryLimitBytes' | 'acceptsRuntimes'>

/** What assignments are held against on this device. */
export function acceptanceOf(
  { engines, ledger, clock }: AgentContext,
  { memoryLimitBytes, acceptsRuntimes }: Limits,
): Acceptance {
  return {
    memoryLimitBytes,
    acceptsRuntimes,
    hasEngine: (engine) => engines.find(engine) !== undefined,
    quarantine(key) {
      const known = ledger.journal.get('quarantine', key)
      return known && isInForce(known, clock.now()) ? known : undefined
    },
    latest: (model) => ledger.journal.get('counter', model),
  }
}
