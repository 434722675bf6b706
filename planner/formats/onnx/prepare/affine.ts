import { floatOf, intOf } from '../attributes.ts'
import type { OnnxNode } from '../model.ts'
import { dataOf, elementTypeOf } from '../tensor-data.ts'
import type { GraphEditor } from './graph-editor.ts'

/** y = scale × x + shift, one pair per channel. */
export interface Affine {
  readonly scale: Float64Array
  readonly shift: Float64Array
}

/** Where a value's channels are. */
export interface Channels {
  readonly count: number
  /** Dimensions after the channel's: the image's, or none. */
  readonly trailing: number
  readonly rank: number
}

/** What `node` does to each channel of its input `value`, if that is affine with constant numbers. */
export function affineOf(
  node: OnnxNode,
  value: string,
  channels: Channels,
  editor: GraphEditor,
): Affine | null {
  if (node.opType === 'BatchNormalization') return normalization(node, channels.count, editor)
  const [left, right] = node.input
  const side = left === value ? right : left
  const constant = perChannel(side, channels, editor)
  if (constant === null) return null
  const ones = new Float64Array(channels.count).fill(1)
  const zeros = new Float64Array(channels.count)
  if (node.opType === 'Add') return { scale: ones, shift: constant }
  if (node.opType === 'Mul') return { scale: constant, shift: zeros }
  if (node.opType === 'Sub' && left === value)
    return { scale: ones, shift: constant.map((c) => -c) }
  return null
}

/** scale = γ/√(σ²+ε), shift = β − μ·scale (ONNX BatchNormalization, inference). */
function normalization(node: OnnxNode, count: number, editor: GraphEditor): Affine | null {
  if (intOf(node, 'training_mode', 0) === 1) return null
  const [gamma, beta, mean, variance] = node.input.slice(1).map((name) => floats(name, editor))
  if (!gamma || !beta || !mean || !variance || gamma.length !== count) return null
  const epsilon = floatOf(node, 'epsilon', 1e-5)
  const scale = Float64Array.from(gamma, (g, i) => g / Math.sqrt((variance[i] as number) + epsilon))
  const shift = Float64Array.from(beta, (b, i) => b - (mean[i] as number) * (scale[i] as number))
  return { scale, shift }
}

/** A constant that broadcasts along everything but channels, spelt out; null where it does not. */
function perChannel(
  name: string | undefined,
  { count, trailing, rank }: Channels,
  editor: GraphEditor,
): Float64Array | null {
  const constant = editor.constant(name)
  const values = name === undefined ? null : floats(name, editor)
  if (constant === undefined || !values) return null
  const dims = constant.dims.map(Number)
  if (values.length === 1 && dims.length <= rank)
    return new Float64Array(count).fill(values[0] as number)
  const at = dims.length - 1 - trailing
  const along = dims.every((dim, i) => dim === (i === at ? count : 1))
  return along && dims.length <= rank ? Float64Array.from(values) : null
}

/** Numbers of a float32 constant. */
export function floats(name: string, editor: GraphEditor): Float32Array<ArrayBuffer> | null {
  const constant = editor.constant(name)
  if (constant === undefined || elementTypeOf(constant) !== 'float32') return null
  return dataOf(constant) as Float32Array<ArrayBuffer>
}
