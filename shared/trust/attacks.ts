/**
 * The attacks a device must withstand, and under which name it refuses each: TUF 1.0 §1.5.2 and
 * Uptane 2.1 §4.3. A code of this table in a report says what somebody tried, or what looks like it.
 */
export const ATTACKS = {
  eavesdrop:
    'somebody reads along: TLS with client certificates keeps bytes private, metadata holds no secrets',
  'drop-request': 'no answer at all to a request for metadata',
  'slow-retrieval': 'an answer that trickles so slowly that the device never gets on',
  freeze: 'metadata past its expiry: an old state is shown as if nothing had happened since',
  rollback: 'an older version than one that was believed before',
  'fast-forward': 'a version so high that no honest one could follow it',
  'endless-data': 'more bytes than the file may have',
  'mix-and-match': 'files that never belonged together: digests, versions or descriptions disagree',
  'partial-install': 'only a part of what belongs together arrived',
  'arbitrary-software':
    'not signed by enough of the keys that may sign it, or other bytes than were signed',
  'wrong-class': 'released for another class of devices',
  'replayed-assignment': 'said to another device',
  'online-key-compromise': 'ordered by the online key, but never released by the release keys',
} as const

export type AttackName = keyof typeof ATTACKS
export const ATTACK_NAMES = Object.keys(ATTACKS) as readonly AttackName[]
