import { type Dataset, toDataset } from '../../../shared/dataset/index.ts'
import type { TensorInfo } from '../../../shared/runtime/index.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../../shared/tensors.ts'
import { drawn, type Holding } from './holdings.ts'
import type { InputFacts, Network } from './list.ts'

/** Where nothing is said of an input. */
const USUAL: Holding = { normal: 1 }

/** Seeds of one sample's inputs lie apart from those of the next. */
const SEEDS = 1000

/** Drawn samples of all inputs, the same for the same first seed. */
export function samplesOf(
  { inputs: facts }: Network,
  inputs: readonly TensorInfo[],
  count: number,
  firstSeed: number,
): Dataset {
  const arrays = inputs.map((info, place): [string, Tensor] => {
    const known = facts[info.name] ?? facts['*']
    const shape = shapeOf(info, known)
    const size = sizeOf(shape)
    const data = new ARRAY_OF[info.type](count * size)
    for (let sample = 0; sample < count; sample += 1) {
      const seed = (firstSeed + sample) * SEEDS + place
      const numbers = drawn(known?.holds ?? USUAL, shape, seed)
      data.set(elements(info, numbers) as never, sample * size)
    }
    return [info.name, { type: info.type, shape: [count, ...withoutBatch(shape)], data }]
  })
  return toDataset(new Map(arrays), 'drawn samples', 'any')
}

function shapeOf({ name, shape }: TensorInfo, known: InputFacts | undefined): readonly number[] {
  const closed = known?.shape ?? shape
  if (closed.length === shape.length && closed.every((dim) => dim > 0)) return closed
  throw new Error(`input "${name}" is [${shape}]: its sizes must be said in the list`)
}

function withoutBatch(shape: readonly number[]): readonly number[] {
  return shape[0] === 1 ? shape.slice(1) : shape
}

function elements({ type }: TensorInfo, numbers: readonly number[]) {
  return type === 'int64' || type === 'uint64'
    ? numbers.map((one) => BigInt(Math.round(one)))
    : numbers
}
