import type { OperatorId, OperatorTimes } from '../../graph/index.ts'
import type { KernelCosts } from '../../targets/index.ts'

/** Numbers are converted, and laid out anew: integer kernels and float kernels want channels in another order. */
const STEPS_AT_A_BORDER = 2

/** Where nothing was converted: a memory read of 4 GB/s. */
const USUAL_PER_ELEMENT = 2.5e-4
/** Smaller ones tell of the call, not of the elements. */
const LEAST_ELEMENTS = 512

/** Several profiles of each file: a neighbour on the machine makes times longer, never shorter. */
export function costsFrom(
  floats: readonly OperatorTimes[],
  integers: readonly OperatorTimes[],
): KernelCosts {
  const [float, integer] = [quietest(floats), quietest(integers)]
  const least = Math.min(float.leastUs, integer.leastUs)
  const rates = [...float.conversions, ...integer.conversions]
    .filter(({ elements }) => elements >= LEAST_ELEMENTS)
    .map(({ us, elements }) => Math.max(0, us - least) / elements)
    .sort((a, b) => a - b)
  const rate = rates[Math.floor(rates.length / 2)] ?? USUAL_PER_ELEMENT
  return {
    float: float.operators,
    integer: integer.operators,
    border: { us: STEPS_AT_A_BORDER * least, usPerElement: STEPS_AT_A_BORDER * rate },
  }
}

function quietest(profiles: readonly OperatorTimes[]): OperatorTimes {
  const operators = new Map<OperatorId, number>()
  for (const [id, us] of profiles.flatMap((profile) => [...profile.operators])) {
    operators.set(id, Math.min(us, operators.get(id) ?? us))
  }
  const [first, ...others] = profiles.map(({ conversions }) => conversions)
  const conversions = (first ?? []).map(({ elements, us }, at) => ({
    elements,
    us: others.reduce((least, other) => Math.min(least, other[at]?.us ?? us), us),
  }))
  return { operators, conversions, leastUs: Math.min(...profiles.map(({ leastUs }) => leastUs)) }
}
