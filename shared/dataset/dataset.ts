import { fromHalf } from '../half.ts'
import type { Tensor } from '../tensors.ts'
import { ARRAY_OF, sizeOf } from '../tensors.ts'
import { DatasetError } from './errors.ts'
import { readLabels } from './labels.ts'
import { type ReadOptions, readArrays } from './npz.ts'

/**
 * Names in a data file that are no inputs. `y` and `y.<name>` are labels: classes, boxes, masks, numbers, as the metric
 * takes them. `reference` is the float model's output, `reference.<name>` one of several.
 */
export const LABELS = 'y'
export const REFERENCE = 'reference'

/** `y.metric` names what the data is judged by. */
const METRIC = 'metric'

/** Samples of a model's inputs, in real values, whatever type the file stores them in. */
export interface Dataset {
  readonly samples: number
  /** Samples first. `x` where the model has one input, else one array per input name. */
  readonly inputs: ReadonlyMap<string, Tensor>
  /** Class index per sample; absent where the file has no `y`, or a metric reads it otherwise. */
  readonly labels: Int32Array<ArrayBuffer> | undefined
  /** Labels as they are, samples first, by the name behind `y.`; '' is `y` itself. */
  readonly truth: ReadonlyMap<string, Tensor>
  /** Outputs of the float model, samples first, by output name; '' stands for its only or first output. */
  readonly references: ReadonlyMap<string, Tensor>
}

/** What `y` holds: class indices, or whatever the metric that was chosen takes. */
export type LabelKind = 'classes' | 'any'

/** @throws DatasetError */
export async function readDataset(
  path: string,
  options: ReadOptions & { readonly labels?: LabelKind } = {},
): Promise<Dataset> {
  return toDataset(await readArrays(path, options), path, options.labels)
}

/**
 * @param source file name, for messages
 * @throws DatasetError `missing-array`, `empty`, `length-mismatch`, `not-finite`, `wrong-labels`
 */
export function toDataset(
  arrays: ReadonlyMap<string, Tensor>,
  source: string,
  kind: LabelKind = 'classes',
): Dataset {
  const inputs = new Map<string, Tensor>()
  const references = new Map<string, Tensor>()
  const truth = new Map<string, Tensor>()
  for (const [name, array] of arrays) {
    const [group, key] = groupOf(name)
    if (group === LABELS) truth.set(key, array)
    else if (group === REFERENCE) references.set(key, array)
    else inputs.set(name, array)
  }
  const samples = countSamples(arrays, inputs, source)
  for (const [name, array] of inputs) checkFinite(name, array, source)
  const y = truth.get('')
  // What it is judged by was chosen when the data was made.
  const read = truth.has(METRIC) ? 'any' : kind
  const labels = y === undefined ? undefined : labelsIn(y, source, read)
  return { samples, inputs, labels, truth, references }
}

function groupOf(name: string): readonly [string | null, string] {
  for (const group of [LABELS, REFERENCE]) {
    if (name === group) return [group, '']
    if (name.startsWith(`${group}.`)) return [group, name.slice(group.length + 1)]
  }
  return [null, name]
}

function labelsIn(y: Tensor, source: string, kind: LabelKind): Dataset['labels'] {
  try {
    return readLabels(y, source)
  } catch (error) {
    if (kind === 'any' && error instanceof DatasetError) return undefined
    throw error
  }
}

/** The arrays of a data file again, for `writeNpz`. */
export function toArrays(dataset: Dataset): Map<string, Tensor> {
  const arrays = new Map(dataset.inputs)
  for (const [name, array] of dataset.truth)
    arrays.set(name === '' ? LABELS : `${LABELS}.${name}`, array)
  // Class indices take less than one-hot rows.
  if (dataset.labels !== undefined)
    arrays.set(LABELS, { type: 'int32', shape: [dataset.samples], data: dataset.labels })
  for (const [name, array] of dataset.references)
    arrays.set(name === '' ? REFERENCE : `${REFERENCE}.${name}`, array)
  return arrays
}

/** At most `count` samples, spread evenly over the set so that a sorted set keeps its classes. */
export function takeSamples(dataset: Dataset, count: number): Dataset {
  if (count >= dataset.samples) return dataset
  return pickSamples(
    dataset,
    Array.from({ length: count }, (_, i) => Math.floor((i * dataset.samples) / count)),
  )
}

/** These samples, in this order; any of them more than once. */
export function pickSamples(dataset: Dataset, rows: readonly number[]): Dataset {
  const take = (arrays: ReadonlyMap<string, Tensor>) =>
    new Map([...arrays].map(([name, array]) => [name, takeRows(array, rows)]))
  const { labels } = dataset
  return {
    samples: rows.length,
    inputs: take(dataset.inputs),
    labels: labels && Int32Array.from(rows, (row) => labels[row] ?? 0),
    truth: take(dataset.truth),
    references: take(dataset.references),
  }
}

/** One sample of an array, as a view. */
export function rowOf(array: Tensor, row: number): Tensor {
  const shape = array.shape.slice(1)
  const size = sizeOf(shape)
  return { type: array.type, shape, data: array.data.subarray(row * size, (row + 1) * size) }
}

function takeRows(array: Tensor, rows: readonly number[]): Tensor {
  const size = sizeOf(array.shape.slice(1))
  const data = new ARRAY_OF[array.type](rows.length * size)
  rows.forEach((row, i) => {
    data.set(rowOf(array, row).data as never, i * size)
  })
  return { type: array.type, shape: [rows.length, ...array.shape.slice(1)], data }
}

function countSamples(
  arrays: ReadonlyMap<string, Tensor>,
  inputs: ReadonlyMap<string, Tensor>,
  source: string,
): number {
  const [first] = inputs
  if (first === undefined) {
    const found = [...arrays.keys()].join(', ') || 'nothing'
    throw new DatasetError(
      'missing-array',
      `${source} has no array "x" (found: ${found}): save the samples as numpy.savez(path, x=..., y=...)`,
    )
  }
  const samples = first[1].shape[0] ?? 0
  if (samples === 0)
    throw new DatasetError('empty', `${source} has no samples in "${first[0]}": give at least one`)
  for (const [name, array] of arrays)
    if (array.shape[0] !== samples)
      throw new DatasetError(
        'length-mismatch',
        `${source}: "${first[0]}" has ${samples} samples but "${name}" has ${array.shape[0] ?? 0}: they must be equal`,
      )
  return samples
}

function checkFinite(name: string, array: Tensor, source: string): void {
  const at = firstNotFinite(array)
  if (at < 0) return
  const sample = Math.floor(at / sizeOf(array.shape.slice(1)))
  const value = array.type === 'float16' ? fromHalf(Number(array.data[at])) : array.data[at]
  throw new DatasetError(
    'not-finite',
    `${source}: "${name}" holds ${value} in sample ${sample}: remove or repair that sample`,
    { name, sample },
  )
}

function firstNotFinite({ type, data }: Tensor): number {
  if (type === 'float16')
    return (data as Uint16Array).findIndex((bits) => (bits & 0x7c00) === 0x7c00)
  if (type !== 'float32' && type !== 'float64') return -1
  const values = data as Float32Array | Float64Array
  // Data sets are large: a loop takes a tenth of what findIndex does.
  for (let i = 0; i < values.length; i += 1) if (!Number.isFinite(values[i])) return i
  return -1
}
