import type { TflModel, TflOperator, TflSubgraph, TflTensor } from '../model.ts'

/** Two conversions of one model, at batches of `at` and `at + 1`. */
export interface TwoBatches {
  readonly at: number
  readonly first: TflModel
  readonly second: TflModel
}

/**
 * The model whose batch is open: what differs between both conversions grows with the batch. Null where something that
 * differs cannot be left open, such as a constant with a row for each sample.
 */
export function mergeBatches({ at, first, second }: TwoBatches): TflModel | null {
  const [main, other] = [first.subgraphs[0], second.subgraphs[0]]
  if (!main || !other || first.subgraphs.length !== 1 || !alike(first, second, main, other))
    return null
  const buffers = [...first.buffers]
  const open = new Map<number, TflTensor>()
  const operators = main.operators.map((operator) => {
    const shapeInput = SHAPE_INPUTS[first.operatorCodes[operator.opcodeIndex]?.builtinCode ?? '']
    if (shapeInput === undefined) return operator
    return openShape({ first, second, main, other, buffers, open }, operator, shapeInput)
  })
  const tensors = main.tensors.map(
    (tensor, i) => open.get(i) ?? grown(tensor, other.tensors[i] as TflTensor, at),
  )
  const settled = tensors.every(
    (tensor, i) => tensor !== null && sameConstant(first, second, { main, other, i, open }),
  )
  if (!settled) return null
  return { ...first, buffers, subgraphs: [{ ...main, tensors: tensors as TflTensor[], operators }] }
}

/** Operator → which input says the sizes of the result. */
const SHAPE_INPUTS: Readonly<Record<string, number>> = { RESHAPE: 1, SLICE: 2, BROADCAST_TO: 1 }

function alike(a: TflModel, b: TflModel, main: TflSubgraph, other: TflSubgraph): boolean {
  const code = (model: TflModel, { opcodeIndex }: TflOperator) =>
    model.operatorCodes[opcodeIndex]?.builtinCode
  return (
    main.tensors.length === other.tensors.length &&
    main.operators.length === other.operators.length &&
    main.operators.every((operator, i) => {
      const twin = other.operators[i] as TflOperator
      return (
        code(a, operator) === code(b, twin) &&
        operator.inputs.join() === twin.inputs.join() &&
        operator.outputs.join() === twin.outputs.join()
      )
    }) &&
    main.tensors.every(
      ({ shape }, i) => (shape ?? []).length === (other.tensors[i]?.shape ?? []).length,
    )
  )
}

/** Sizes at a batch of one, and which of them are open. */
function grown(tensor: TflTensor, other: TflTensor, at: number): TflTensor | null {
  const [a, b] = [tensor.shape ?? [], other.shape ?? []]
  if (a.every((size, axis) => size === b[axis])) return tensor
  const steps = a.map((size, axis) => (b[axis] as number) - size)
  const shape = a.map((size, axis) => size - (at - 1) * (steps[axis] as number))
  if (shape.some((size) => size < 1)) return null
  return {
    ...tensor,
    shape,
    shapeSignature: a.map((size, axis) => (steps[axis] === 0 ? size : -1)),
  }
}

interface Merging {
  readonly first: TflModel
  readonly second: TflModel
  readonly main: TflSubgraph
  readonly other: TflSubgraph
  readonly buffers: TflModel['buffers']
  /** Constants that say sizes, with the open one as −1. */
  readonly open: Map<number, TflTensor>
}

function openShape(merging: Merging, operator: TflOperator, position: number): TflOperator {
  const { first, second, main, other, buffers, open } = merging
  const index = operator.inputs[position] ?? -1
  const [tensor, twin] = [main.tensors[index], other.tensors[index]]
  const [mine, theirs] = [numbersOf(first, tensor), numbersOf(second, twin)]
  if (tensor === undefined || mine === null || theirs === null) return operator
  const differing = mine.flatMap((size, axis) => (size === theirs[axis] ? [] : [axis]))
  if (differing.length !== 1) return operator
  const sizes = mine.with(differing[0] as number, -1)
  if (!open.has(index)) {
    buffers.push({ data: new Uint8Array(Int32Array.from(sizes).buffer) })
    open.set(index, { ...tensor, buffer: buffers.length - 1 })
  }
  const options = operator.builtinOptions
  if (options?.type !== 'ReshapeOptions') return operator
  return { ...operator, builtinOptions: { ...options, newShape: sizes } }
}

function numbersOf(model: TflModel, tensor: TflTensor | undefined): number[] | null {
  const data = model.buffers[tensor?.buffer ?? 0]?.data
  return data && tensor?.type === 'INT32' ? Array.from(new Int32Array(data.slice().buffer)) : null
}

interface Compared {
  readonly main: TflSubgraph
  readonly other: TflSubgraph
  readonly i: number
  readonly open: ReadonlyMap<number, TflTensor>
}

function sameConstant(
  first: TflModel,
  second: TflModel,
  { main, other, i, open }: Compared,
): boolean {
  if (open.has(i)) return true
  const mine = first.buffers[main.tensors[i]?.buffer ?? 0]?.data ?? null
  const theirs = second.buffers[other.tensors[i]?.buffer ?? 0]?.data ?? null
  if (mine === null || theirs === null) return mine === theirs
  return mine.length === theirs.length && Buffer.compare(mine, theirs) === 0
}
