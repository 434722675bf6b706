import type { CapturedSample, Ports } from '../../shared/capture/index.ts'
import type { ModelFacts } from '../variants/index.ts'

/** Why it cannot be of this model; `undefined` where it can. Names are as the application calls them, numbers are the model's. */
export function misfit(
  { inputs, outputs }: Pick<CapturedSample, 'inputs' | 'outputs'>,
  facts: Pick<ModelFacts, 'inputs' | 'outputs'>,
): string | undefined {
  return misfitOf('input', inputs, facts.inputs) ?? misfitOf('output', outputs, facts.outputs)
}

function misfitOf(
  side: string,
  ports: Ports,
  known: readonly { readonly shape: readonly number[] }[],
): string | undefined {
  const names = Object.keys(ports)
  if (names.length === 0 || names.length > known.length) {
    return `it has ${names.length} ${side}s where the model has ${known.length}`
  }
  const sizes = known.map(({ shape }) => sizeOf(shape))
  for (const [name, { length }] of Object.entries(ports)) {
    if (length > 0 && sizes.some((size) => size === null || size === length)) continue
    const shown = sizes.map((size) => size ?? 'any').join(', ')
    return `${side} "${name.slice(0, 80)}" has ${length} values where the model has ${shown}`
  }
  return undefined
}

/** Values of one sample; null where the model takes any number. An open first dimension is the batch, of one. */
function sizeOf([first = 1, ...rest]: readonly number[]): number | null {
  if (rest.some((dim) => dim < 0)) return null
  return rest.reduce((size, dim) => size * dim, Math.max(1, first))
}
