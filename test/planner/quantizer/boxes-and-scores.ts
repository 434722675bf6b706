import { type Dataset, toDataset } from '../../../shared/dataset/index.ts'
import { sizeOf, type Tensor } from '../../../shared/tensors.ts'
import { constant, type ModelSpec, numbers, type OperatorSpec } from './model-builder.ts'

const dense = (weight: string, output: string, width: number): OperatorSpec => ({
  code: 'FULLY_CONNECTED',
  inputs: ['x', weight],
  outputs: { [output]: [1, width] },
  options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT' },
})

/** A detector's head: boxes in pixels beside scores, in one tensor. */
export const BOXES_AND_SCORES: ModelSpec = {
  inputs: { x: [1, 8] },
  constants: { wide: constant([4, 8], -90, 90), fine: constant([6, 8], -1, 1, 5) },
  operators: [
    dense('wide', 'boxes', 4),
    dense('fine', 'logits', 6),
    { code: 'LOGISTIC', inputs: ['logits'], outputs: { scores: [1, 6] } },
    {
      code: 'CONCATENATION',
      inputs: ['boxes', 'scores'],
      outputs: { y: [1, 10] },
      options: { type: 'ConcatenationOptions', axis: 1, fusedActivationFunction: 'NONE' },
    },
  ],
  outputs: ['y'],
}

/** Uniform noise, the same in every run. */
export function noise(
  shapes: Readonly<Record<string, readonly number[]>>,
  { samples = 40, low = -1, high = 1, seed = 9 } = {},
): Dataset {
  const arrays = Object.entries(shapes).map(([name, [, ...rest]]): [string, Tensor] => {
    const shape = [samples, ...rest]
    const data = numbers([sizeOf(shape)], low, high, seed)
    return [name, { type: 'float32', shape, data }]
  })
  return toDataset(new Map(arrays), 'noise')
}
