import type { Dataset } from '../../../shared/dataset/index.ts'
import { toDataset } from '../../../shared/dataset/index.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import { type ModelSpec, numbers, type TensorSpec } from './model-builder.ts'
import type { OneOperator } from './one-operator-models.ts'

/** All the given operators side by side in one model, each with inputs and outputs of its own. */
export function kitchenSink(models: readonly OneOperator[]): ModelSpec {
  const named = models.map(({ code, spec }) =>
    rename(spec, (name) => (name ? `${code}.${name}` : '')),
  )
  const merged = <T>(records: readonly Readonly<Record<string, T>>[]) =>
    Object.fromEntries(records.flatMap((record) => Object.entries(record)))
  return {
    inputs: merged(named.map((spec) => spec.inputs)),
    constants: merged(named.map((spec) => spec.constants ?? {})),
    operators: named.flatMap((spec) => spec.operators),
    outputs: named.flatMap((spec) => spec.outputs),
  }
}

/** Random numbers in the range that each operator takes. */
export function dataFor(models: readonly OneOperator[], samples: number): Dataset {
  const arrays = new Map<string, Tensor>()
  for (const { code, spec, data } of models) {
    Object.entries(spec.inputs).forEach(([name, given], i) => {
      const shape = [samples, ...shapeOf(given)]
      arrays.set(`${code}.${name}`, {
        type: 'float32',
        shape,
        data: numbers(shape, ...data, i + 1),
      })
    })
  }
  return toDataset(arrays, 'random numbers')
}

function rename(spec: ModelSpec, to: (name: string) => string): ModelSpec {
  const keys = <T>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [to(name), value]))
  return {
    inputs: keys(spec.inputs),
    constants: keys(spec.constants ?? {}),
    operators: spec.operators.map((operator) => ({
      ...operator,
      inputs: operator.inputs.map(to),
      outputs: keys(operator.outputs),
    })),
    outputs: spec.outputs.map(to),
  }
}

function shapeOf(given: TensorSpec): readonly number[] {
  return 'type' in given ? given.shape : given
}
