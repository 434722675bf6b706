import { eachRun, type Slices } from '../../../graph/index.ts'
import { floatOf, intOf } from '../attributes.ts'
import type { OnnxNode } from '../model.ts'
import { type Affine, affineOf, type Channels, floats } from './affine.ts'
import { rule } from './rule.ts'

interface Fold {
  readonly product: OnnxNode
  readonly follower: OnnxNode
  readonly affine: Affine
  readonly weights: Float32Array<ArrayBuffer>
  readonly dims: readonly number[]
  readonly bias: Float32Array | null
}

/** Products whose output channels are rows of a constant weight, and how many dimensions follow the channel's. */
const PRODUCTS: Readonly<Record<string, { trailing: (rank: number) => number }>> = {
  Conv: { trailing: (rank) => rank - 2 },
  ConvTranspose: { trailing: (rank) => rank - 2 },
  Gemm: { trailing: () => 0 },
}

// product → BatchNormalization | Add c | Mul c | Sub c  ⇒  product with other weights and bias
export const foldAffine = rule<Fold>({
  name: 'fold-affine',
  match(product, editor) {
    const [output = ''] = product.output
    const traits = PRODUCTS[product.opType]
    const follower = editor.onlyConsumer(output)
    const [, weightName = '', biasName = ''] = product.input
    const dims = editor.constant(weightName)?.dims.map(Number)
    if (traits === undefined || follower === undefined || dims === undefined) return null
    const weights = floats(weightName, editor)
    const bias = biasName === '' ? null : floats(biasName, editor)
    if (weights === null || (biasName !== '' && bias === null) || !isPlain(product)) return null
    const channels: Channels = {
      count: channelCount(product, dims),
      trailing: traits.trailing(dims.length),
      rank: dims.length,
    }
    if (bias !== null && bias.length !== channels.count) return null
    const affine = affineOf(follower, output, channels, editor)
    return affine && { product, follower, affine, weights, dims, bias }
  },
  rewrite({ product, follower, affine, weights, dims, bias }, editor) {
    const { scale, shift } = affine
    const [data = '', weightName = ''] = product.input
    // Of large models, weights are nearly all the memory.
    const scaled = editor.isSpare(weightName) ? weights : new Float32Array(weights.length)
    eachRun(weights.length, slicesOf(product, dims), (slice, from, to) => {
      const factor = scale[channelOf(product, dims, slice)] as number
      for (let i = from; i < to; i += 1) scaled[i] = (weights[i] as number) * factor
    })
    const shifted = Float32Array.from(
      shift,
      (value, channel) => value + (bias?.[channel] ?? 0) * (scale[channel] as number),
    )
    const output = follower.output[0] as string
    product.input = [
      data,
      editor.addConstant(weightName, 'float32', dims, scaled),
      editor.addConstant(`${output}/bias`, 'float32', [shifted.length], shifted),
    ]
    product.output = [output]
    editor.replace(follower)
  },
})

/** Gemm's factors other than 1 would have to be undone first. */
function isPlain(product: OnnxNode): boolean {
  return (
    product.opType !== 'Gemm' ||
    (floatOf(product, 'alpha', 1) === 1 && floatOf(product, 'beta', 1) === 1)
  )
}

function channelCount(product: OnnxNode, dims: readonly number[]): number {
  const [first = 0, second = 0] = dims
  if (product.opType === 'ConvTranspose') return second * intOf(product, 'group', 1)
  return product.opType === 'Gemm' && intOf(product, 'transB', 0) === 0 ? second : first
}

/** Stretches of the weight that add to one output channel each. */
function slicesOf(
  product: OnnxNode,
  [first = 1, second = 1, ...kernel]: readonly number[],
): Slices {
  const inner = kernel.reduce((a, b) => a * b, 1)
  if (product.opType === 'ConvTranspose') return { count: first * second, stride: inner }
  if (product.opType === 'Gemm' && intOf(product, 'transB', 0) === 0)
    return { count: second, stride: 1 }
  return { count: first, stride: second * inner }
}

/** A ConvTranspose has rows of output channels for every input channel, those of its group. */
function channelOf(
  product: OnnxNode,
  [first = 1, second = 1]: readonly number[],
  slice: number,
): number {
  if (product.opType !== 'ConvTranspose') return slice
  const perGroup = first / intOf(product, 'group', 1)
  return Math.floor(Math.floor(slice / second) / perGroup) * second + (slice % second)
}
