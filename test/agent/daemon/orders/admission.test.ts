import t from 'tap'
import { type Acceptance, requireAcceptable } from '../../../../agent/daemon/orders/admission.ts'
import type { TrustedAssignment } from '../../../../agent/trust/index.ts'
import { assignmentOf } from '../../orders.ts'

const digest = 'a'.repeat(64)
const artifact = { digest, bytes: 1_000, blockList: 'b'.repeat(64) }

const here: Acceptance = {
  memoryLimitBytes: 1_000,
  hasEngine: () => true,
  quarantine: () => undefined,
  latest: () => ({ counter: 3, variant: digest }),
}

interface Row {
  readonly name: string
  readonly draft?: Partial<TrustedAssignment>
  readonly here?: Partial<Acceptance>
  readonly code?: string
}

const ROWS: readonly Row[] = [
  { name: 'all is well' },
  { name: 'the same counter for the same variant', draft: { counter: 3 } },
  { name: 'the first of a model', draft: { counter: 1 }, here: { latest: () => undefined } },
  { name: 'a lower counter', draft: { counter: 2 }, code: 'rollback' },
  {
    name: 'the same counter for another variant',
    draft: { counter: 3 },
    here: { latest: () => ({ counter: 3, variant: 'c'.repeat(64) }) },
    code: 'rollback',
  },
  {
    name: 'what brought the runtime down here',
    here: { quarantine: () => ({ at: '2026-11-25T00:00:00Z', message: 'it hung' }) },
    code: 'quarantined',
  },
  { name: 'more bytes than memory', here: { memoryLimitBytes: 999 }, code: 'memory-limit' },
]

for (const row of ROWS) {
  t.test(`${row.name}: ${row.code ?? 'accepted'}`, (t) => {
    const assignment = assignmentOf({ artifact, counter: 4, ...row.draft })
    const accept = () => requireAcceptable(assignment, { ...here, ...row.here })
    if (row.code) t.throws(accept, { code: row.code })
    else t.doesNotThrow(accept)
    t.end()
  })
}
