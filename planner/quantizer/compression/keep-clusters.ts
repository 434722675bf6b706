import type { Instruction, Plan, QuantizableModel } from '../../graph/index.ts'
import { codesOf, sliceAt, slicesOf } from '../../graph/index.ts'
import type { Compressed } from './compress.ts'

type Store = Extract<Instruction, { verb: 'store-constant' }>

/**
 * The plan with at most the asked number of codes in every clustered layer. Clusters lie on codes already; but a
 * scale may have been raised so that its channel's bias fits (such weights are a rounding error beside their bias),
 * and a recovery method may have rounded otherwise: those codes go to the nearest of the frequent ones.
 */
export function keepClusters(
  plan: Plan,
  { graph }: QuantizableModel,
  { layers, asked }: Compressed,
): Plan {
  const { cluster } = asked
  if (cluster === undefined) return plan
  const clustered = new Set(
    layers
      .filter(({ spared }) => spared === null)
      .map(({ operator, position }) => graph.operators[operator]?.inputs[position]?.tensor),
  )
  const instructions = plan.instructions.map((instruction) => {
    if (instruction.verb !== 'store-constant' || !clustered.has(instruction.tensor)) {
      return instruction
    }
    const tensor = graph.tensors[instruction.tensor]
    const values = instruction.values ?? tensor?.constant?.read() ?? null
    return values === null
      ? instruction
      : settled(instruction, values, tensor?.shape ?? [], cluster)
  })
  return { ...plan, instructions }
}

function settled(
  store: Store,
  values: Float32Array,
  shape: readonly number[],
  count: number,
): Store {
  const { form } = store
  if (!('parameters' in form)) return store
  const codes = codesOf(values, shape, form)
  const frequent = mostFrequent(codes, count)
  if (frequent === null) return store
  const { scales, zeroPoints, axis } = form.parameters
  const slices = slicesOf(shape, axis)
  const kept = values.map((_, i) => {
    const slice = axis === null ? 0 : sliceAt(slices, i)
    const code = nearest(codes[i] as number, frequent)
    return (code - (zeroPoints[slice] as number)) * (scales[slice] as number)
  })
  return { ...store, values: kept }
}

/** Null where there are no more than `count` anyway. */
function mostFrequent(codes: Float64Array, count: number): number[] | null {
  const counts = new Map<number, number>()
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1)
  if (counts.size <= count) return null
  return [...counts]
    .sort(([a, ofA], [b, ofB]) => ofB - ofA || a - b)
    .slice(0, count)
    .map(([code]) => code)
}

function nearest(code: number, among: readonly number[]): number {
  return among.reduce((best, one) => (Math.abs(one - code) < Math.abs(best - code) ? one : best))
}
