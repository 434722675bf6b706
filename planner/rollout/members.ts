import { INSTALL_STATES } from '../../shared/messages/index.ts'
import { isOneOf } from '../../shared/open-words.ts'

/** Where one device stands in a rollout: `ordered` and the agent's install states, and the way back. */
export const MEMBER_STATES = [
  'ordered',
  'accepted',
  'downloading',
  'verified',
  'installed',
  'active',
  'rolled-back',
  'refused',
  'failed',
  'unfit',
  'reverting',
  'reverted',
  'released',
] as const
export type MemberState = (typeof MEMBER_STATES)[number]

type Standing = 'under-way' | 'active' | 'failed' | 'aside'

/** What each state counts as at a gate. `unfit`: no variant that may ship fits the device. */
const STANDING: Record<MemberState, Standing> = {
  ordered: 'under-way',
  accepted: 'under-way',
  downloading: 'under-way',
  verified: 'under-way',
  installed: 'under-way',
  active: 'active',
  'rolled-back': 'failed',
  refused: 'failed',
  failed: 'failed',
  unfit: 'aside',
  reverting: 'aside',
  reverted: 'aside',
  released: 'aside',
}

export function standingOf(state: MemberState): Standing {
  return STANDING[state]
}

/** Reports arrive twice, late and out of order: an installation never walks backwards along this line. */
const PROGRESS: readonly MemberState[] = [
  'ordered',
  'accepted',
  'downloading',
  'verified',
  'installed',
  'active',
]

const AFTER_REVERTING: Partial<Record<MemberState, MemberState>> = {
  active: 'reverted',
  'rolled-back': 'failed',
  refused: 'failed',
  failed: 'failed',
}

/** The state after a report about the same order; undefined when it tells nothing new, or nothing that is known. */
export function afterReport(state: MemberState, reported: string): MemberState | undefined {
  if (!isOneOf(INSTALL_STATES, reported)) return undefined
  if (state === 'reverting') return AFTER_REVERTING[reported]
  const standing = STANDING[state]
  if (standing === 'aside' || standing === 'failed') return undefined
  if (STANDING[reported] === 'failed') return reported
  return PROGRESS.indexOf(reported) > PROGRESS.indexOf(state) ? reported : undefined
}
