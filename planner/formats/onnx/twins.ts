import { digestOf } from '../../../shared/digest.ts'
import type { OnnxTensor } from './model.ts'
import { dataOf, dimsOf, elementTypeOf } from './tensor-data.ts'

/** Below it a second copy takes no more than what would spare it. */
const LEAST_BYTES = 256
/** A node takes some bytes itself, and a moment when the model loads. */
const LEAST_TURNED = 4096

export interface Twin {
  readonly name: string
  /** It is the transpose of the other. */
  readonly turned: boolean
}

/** Constants that are another one, or another matrix turned, and which; the first of them all stands for the rest. */
export function twinsOf(constants: readonly OnnxTensor[]): ReadonlyMap<OnnxTensor, Twin> {
  const twins = new Map<OnnxTensor, Twin>()
  const alike = new Map<string, number>()
  for (const tensor of constants) {
    const corners = cornersOf(tensor)
    alike.set(corners, (alike.get(corners) ?? 0) + 1)
  }
  const first = new Map<string, string>()
  for (const tensor of constants) {
    const { rawData, name } = tensor
    // Most are alone with their corners: no need to look at all their bytes.
    if (rawData.length < LEAST_BYTES || alike.get(cornersOf(tensor)) === 1) continue
    const key = keyOf(tensor, rawData, tensor.dims)
    const same = first.get(key)
    const source = same ?? turnedIn(tensor, first)
    if (source === undefined) first.set(key, name)
    else twins.set(tensor, { name: source, turned: same === undefined })
  }
  return twins
}

/** Size, first and last number: they stay where they are when a matrix is turned. */
function cornersOf({ dims, rawData }: OnnxTensor): string {
  const numbers = dims.reduce((product, dim) => product * Number(dim), 1)
  const bytes = Math.max(1, Math.floor(rawData.length / numbers))
  const ends = [rawData.subarray(0, bytes), rawData.subarray(rawData.length - bytes)]
  return `${rawData.length} ${ends.join(' ')}`
}

function keyOf({ dataType }: OnnxTensor, bytes: Uint8Array, dims: readonly bigint[]): string {
  return `${dataType} ${dims.join('×')} ${digestOf(bytes)}`
}

function turnedIn(tensor: OnnxTensor, first: ReadonlyMap<string, string>): string | undefined {
  const [rows = 0, columns = 0] = dimsOf(tensor)
  const isMatrix = tensor.dims.length === 2 && rows > 1 && columns > 1
  if (!isMatrix || tensor.rawData.length < LEAST_TURNED || !elementTypeOf(tensor)) return undefined
  const source = dataOf(tensor)
  const result = source.slice()
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      result[column * rows + row] = source[row * columns + column] as never
    }
  }
  const bytes = new Uint8Array(result.buffer, result.byteOffset, result.byteLength)
  return first.get(keyOf(tensor, bytes, [...tensor.dims].reverse()))
}
