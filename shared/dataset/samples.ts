import type { TensorInfo } from '../runtime/index.ts'
import { printType } from '../runtime/index.ts'
import type { Tensor } from '../tensors.ts'
import { convertTo } from './convert.ts'
import { type Dataset, rowOf } from './dataset.ts'
import { DatasetError } from './errors.ts'

/** A data set as one model's inputs. */
export interface Samples {
  readonly count: number
  /**
   * Inputs of one run, batch of one, converted now: memory does not grow with the number of samples.
   * @param into inputs that nobody needs any more, whose memory float32 ones may take
   */
  at(sample: number, into?: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>>
}

/**
 * Checks once that the data fits the model's inputs, then converts sample by sample.
 * A sample fits an input of the same shape, with or without the batch dimension and other dimensions of one.
 * @throws DatasetError `missing-array`, `wrong-shape`
 */
export function samplesFor(dataset: Dataset, inputs: readonly TensorInfo[]): Samples {
  const sources = inputs.map((info) => {
    const array = arrayFor(dataset, info, inputs.length)
    return { info, array, shape: runShape(info, array) }
  })
  return {
    count: dataset.samples,
    at: (sample, into) =>
      Object.fromEntries(
        sources.map(({ info, array, shape }) => {
          const data = convertTo(info, rowOf(array, sample), into?.[info.name]?.data)
          return [info.name, { type: info.type, shape, data }]
        }),
      ),
  }
}

function arrayFor(dataset: Dataset, info: TensorInfo, inputs: number): Tensor {
  const only = inputs === 1 ? (dataset.inputs.get('x') ?? onlyOne(dataset.inputs)) : undefined
  const array = dataset.inputs.get(info.name) ?? only
  if (array !== undefined) return array
  const found = [...dataset.inputs.keys()].join(', ')
  throw new DatasetError(
    'missing-array',
    `the data has no array for input "${info.name}" (found: ${found}): name one array after each input`,
    { input: info.name },
  )
}

function onlyOne(arrays: ReadonlyMap<string, Tensor>): Tensor | undefined {
  return arrays.size === 1 ? [...arrays.values()][0] : undefined
}

/** The input's shape with the sample's numbers in its open dimensions, for a batch of one. */
function runShape(info: TensorInfo, array: Tensor): number[] {
  const sample = array.shape.slice(1)
  const candidates = [sample, [1, ...sample]].filter((shape) => shape.length === info.shape.length)
  const fitting = candidates.find((shape) =>
    info.shape.every((dim, axis) => dim < 0 || dim === shape[axis]),
  )
  if (fitting !== undefined) return fitting
  const closed = info.shape.map((dim) => (dim < 0 ? 1 : dim))
  if (withoutOnes(closed) === withoutOnes(sample)) return closed
  throw new DatasetError(
    'wrong-shape',
    `input "${info.name}" takes ${printType(info)} but one sample of the data is ${printType({ type: array.type, shape: sample })}: ${adviceFor(info)}`,
    { input: info.name },
  )
}

function adviceFor(info: TensorInfo): string {
  const batch = info.shape[0] ?? 1
  return batch > 1 && info.shape.length > 1
    ? `samples come one at a time; if ${batch} is a batch size, export the model with a batch of 1`
    : 'give samples of the shape that the model takes'
}

function withoutOnes(shape: readonly number[]): string {
  return shape.filter((dim) => dim !== 1).join('x')
}
