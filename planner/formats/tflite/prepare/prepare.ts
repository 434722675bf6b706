import type { Preparation } from '../../../graph/index.ts'
import type { TflModel } from '../model.ts'
import { learntRanges } from './fake-quant.ts'
import { poolsAsMeans } from './pools-as-means.ts'
import type { Prepared } from './prepared.ts'
import { restoreFloats } from './restore-floats.ts'
import { sparseConstants } from './sparse-constants.ts'

/** The steps in order; each leaves the model's results as they were. */
const STEPS: readonly ((model: TflModel, how: Preparation) => Prepared)[] = [
  (model, { sources, widenHalves, forIntegers }) =>
    widenHalves || forIntegers || sources === 'dequantize'
      ? sparseConstants(model)
      : { model, findings: [] },
  (model, { sources, widenHalves }) => restoreFloats(model, sources, widenHalves),
  (model, { forIntegers }) => (forIntegers ? learntRanges(model) : { model, findings: [] }),
  (model, { forIntegers }) => (forIntegers ? poolsAsMeans(model) : { model, findings: [] }),
]

export function prepare(model: TflModel, how: Preparation): Prepared {
  return STEPS.reduce<Prepared>(
    (before, step) => {
      const after = step(before.model, how)
      return { model: after.model, findings: [...before.findings, ...after.findings] }
    },
    { model, findings: [] },
  )
}
