import type { OperatorId } from '../../../../graph/index.ts'
import type { PlanRequest } from '../../request.ts'
import { anglesOf } from './angles.ts'
import { denominatorsOf } from './denominators.ts'
import { headsOf } from './heads.ts'
import { maskedLogitsOf } from './masks.ts'
import { mergesOf } from './merges.ts'
import { Scene } from './scene.ts'
import { wideHeadsOf } from './wide-heads.ts'

/** Operators for which eight bits are too few, whatever else the model does. */
interface PrecisionRule {
  readonly find: (scene: Scene) => ReadonlySet<OperatorId>
  /** The law, as the end of "stays in float: …". */
  readonly reason: string
}

/** In order: the first that speaks of an operator is told to the user. */
const RULES: readonly PrecisionRule[] = [
  {
    find: maskedLogitsOf,
    reason: 'masks drive its numbers so far apart that codes could not tell the others',
  },
  {
    find: denominatorsOf,
    reason:
      'it is divided by, or scaled with, numbers that come near zero, where codes are off by their whole size',
  },
  {
    find: anglesOf,
    reason: 'its angles go over many turns, of which a step of the codes would be a good part',
  },
  {
    find: mergesOf,
    reason:
      'it holds small numbers beside large ones, within few steps of whose codes they would be lost',
  },
  {
    find: wideHeadsOf,
    reason:
      'the model ends behind it in numbers so far apart that a step of their codes would move what is decided by them',
  },
  { find: headsOf, reason: 'the model ends with it, and in float it is exact' },
]

/** Why operators with an integer form had better compute in float. */
export function precisionReasons(request: PlanRequest): ReadonlyMap<OperatorId, string> {
  const scene = new Scene(request)
  const reasons = new Map<OperatorId, string>()
  for (const { find, reason } of RULES) {
    for (const id of find(scene)) if (!reasons.has(id)) reasons.set(id, reason)
  }
  return reasons
}
