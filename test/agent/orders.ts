import { newId } from '../../shared/ids.ts'
import type { ArtifactRef, Assignment, OrderOf } from '../../shared/messages/index.ts'
import { generateKeyPair, type SigningKey, signPayload } from '../../shared/signatures/index.ts'

/** The key that devices in these tests trust. */
export const releaseKey = generateKeyPair()

export type AssignmentDraft = Partial<Assignment> & { readonly artifact: ArtifactRef }

export function assignmentOf(draft: AssignmentDraft): Assignment {
  return {
    device: 'd1',
    model: 'motor',
    variant: draft.artifact.digest,
    runtime: 'litert',
    scheme: 'float32',
    class: 'generic-x86-64',
    counter: 1,
    selfTest: null,
    issuedAt: new Date(Date.now() - 1_000).toISOString(),
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    ...draft,
  }
}

export function assignOrder(
  draft: AssignmentDraft,
  { id = newId(), key = releaseKey }: { id?: string; key?: SigningKey } = {},
): OrderOf<'assign'> {
  const assignment = signPayload(JSON.stringify(assignmentOf(draft)), key)
  return { v: 1, id, kind: 'assign', assignment }
}
