import { type Dataset, DatasetError, realValues, rowOf, samplesFor } from '../dataset/index.ts'
import { dequantized } from '../metrics/index.ts'
import type { Session, TensorInfo } from '../runtime/index.ts'
import { sizeOf, type Tensor } from '../tensors.ts'

/** Real values that a sample should give, by the name of our output; undefined where nothing is known. */
export type ReferenceAt = (
  sample: number,
) => Promise<ReadonlyMap<string, ArrayLike<number>> | undefined>

/** From the float model where there is one, else from the data file, else nothing. */
export function referenceOutputs(
  session: Session,
  dataset: Dataset,
  reference: Session | undefined,
): ReferenceAt {
  if (reference !== undefined) return fromSession(session, dataset, reference)
  if (dataset.references.size > 0) return fromData(session, dataset)
  return async () => undefined
}

function fromSession(session: Session, dataset: Dataset, reference: Session): ReferenceAt {
  const samples = samplesFor(dataset, reference.inputs)
  const pairs = pairOutputs(session.outputs, reference.outputs)
  return async (sample) => {
    const outputs = await reference.run(samples.at(sample))
    return new Map(
      pairs.map(([ours, theirs]) => {
        const tensor = outputs[theirs.name] as Tensor
        return [ours.name, dequantized(theirs, tensor)]
      }),
    )
  }
}

/** By name where the names agree, else by position: a converter may rename the ends of a model. */
function pairOutputs(
  ours: readonly TensorInfo[],
  theirs: readonly TensorInfo[],
): [TensorInfo, TensorInfo][] {
  if (ours.length !== theirs.length)
    throw new DatasetError(
      'wrong-shape',
      `the reference model has ${theirs.length} outputs but this one has ${ours.length}: give the float model that it was made from`,
    )
  const named = ours.every((output) => theirs.some(({ name }) => name === output.name))
  return ours.map((output, i) => {
    const other = named ? theirs.find(({ name }) => name === output.name) : theirs[i]
    return [output, other as TensorInfo]
  })
}

function fromData(session: Session, dataset: Dataset): ReferenceAt {
  const known = session.outputs.flatMap((output, i) => {
    const array =
      dataset.references.get(output.name) ?? (i === 0 ? dataset.references.get('') : undefined)
    return array === undefined ? [] : [{ output, array }]
  })
  for (const { output, array } of known) checkSize(output, array)
  return async (sample) =>
    new Map(
      known.map(({ output, array }) => {
        const { type, data } = rowOf(array, sample)
        return [output.name, realValues(type, data)]
      }),
    )
}

function checkSize(output: TensorInfo, array: Tensor): void {
  const expected = sizeOf(output.shape.map((dim) => (dim < 0 ? 1 : dim)))
  const given = sizeOf(array.shape.slice(1))
  if (given !== expected)
    throw new DatasetError(
      'wrong-shape',
      `the reference holds ${given} values per sample but output "${output.name}" has ${expected}: it belongs to another model`,
    )
}
