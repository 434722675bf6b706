import { intOf, intsOf, setAttribute, stringOf } from '../attributes.ts'
import { dataTypeName, type OnnxNode } from '../model.ts'
import { dataOf } from '../tensor-data.ts'
import { floats } from './affine.ts'
import { channelShuffle } from './channel-shuffle.ts'
import { foldAffine } from './fold-affine.ts'
import type { GraphEditor } from './graph-editor.ts'
import { type Rule, rule } from './rule.ts'

const DOING_NOTHING: ReadonlySet<string> = new Set(['Identity', 'Dropout'])

function isIdleCast(node: OnnxNode, editor: GraphEditor): boolean {
  if (node.opType !== 'Cast') return false
  const [input = ''] = node.input
  const constant = editor.constant(input)
  const type = constant ? dataTypeName(constant.dataType) : editor.typeOf(input).type
  return type !== null && type !== undefined && type === dataTypeName(intOf(node, 'to', 0))
}

// x → Identity | Dropout | Cast to the type that x has → y  ⇒  x
const identity = rule({
  name: 'identity',
  match(node, editor) {
    const [input = '', mask] = [node.input[0], node.output[1]]
    const [output = ''] = node.output
    if (!DOING_NOTHING.has(node.opType) && !isIdleCast(node, editor)) return null
    if (mask && (editor.consumers(mask).length > 0 || editor.isSeenOutside(mask))) return null
    if (!editor.isSeenOutside(output)) return { node, input, output, maker: null }
    // The name that callers know must go on being computed: by whoever computes the input.
    const maker = editor.producer(input)
    return maker && !editor.isSeenOutside(input) ? { node, input, output, maker } : null
  },
  rewrite({ node, input, output, maker }, editor) {
    editor.replace(node)
    if (maker === null) return editor.redirect(output, input)
    editor.redirect(input, output)
    maker.output = maker.output.map((name) => (name === input ? output : name))
    editor.touch()
  },
})

// MatMul(x, B) + c  ⇒  Gemm(x, B, c), for matrices
const matmulAdd = rule({
  name: 'matmul-add',
  match(node, editor) {
    const [product = ''] = node.output
    if (node.opType !== 'MatMul' || editor.typeOf(node.input[0] ?? '').shape?.length !== 2)
      return null
    const weight = editor.constant(node.input[1])
    const add = editor.onlyConsumer(product)
    if (weight?.dims.length !== 2 || add?.opType !== 'Add') return null
    const bias = add.input.find((name) => name !== product) ?? ''
    const dims = editor.constant(bias)?.dims.map(Number) ?? []
    const fits =
      dims.length <= 2 &&
      dims.at(-1) === Number(weight.dims[1]) &&
      (dims[1] === undefined || dims[0] === 1)
    return fits && floats(bias, editor) !== null && floats(node.input[1] as string, editor) !== null
      ? { node, add, bias }
      : null
  },
  rewrite({ node, add, bias }, editor) {
    const values = floats(bias, editor) as Float32Array<ArrayBuffer>
    // Memory of its own: whoever else reads the constant may scale it in place.
    const flat = editor.addConstant(bias, 'float32', [values.length], values.slice())
    const gemm = editor.newNode('Gemm', [...node.input, flat], add.output)
    editor.replace(add)
    editor.replace(node, gemm)
  },
})

// ReduceMean over height and width  ⇒  GlobalAveragePool, which has an integer kernel
const meanOfPixels = rule({
  name: 'mean-of-pixels',
  match(node, editor) {
    const [input = ''] = node.input
    if (node.opType !== 'ReduceMean' || editor.typeOf(input).shape?.length !== 4) return null
    const axes = axesOf(node, editor)?.map((axis) => (axis < 0 ? axis + 4 : axis))
    const pixels = axes?.length === 2 && axes.includes(2) && axes.includes(3)
    return pixels ? { node, input, keeps: intOf(node, 'keepdims', 1) === 1 } : null
  },
  rewrite({ node, input, keeps }, editor) {
    if (keeps)
      return editor.replace(node, editor.newNode('GlobalAveragePool', [input], node.output))
    const pooled = editor.fresh(`${node.output[0]}/pooled`)
    editor.replace(
      node,
      editor.newNode('GlobalAveragePool', [input], [pooled]),
      editor.newNode('Flatten', [pooled], node.output, { axis: ['int', 1] }),
    )
  },
})

/** An attribute until opset 18, an input since. */
function axesOf(node: OnnxNode, editor: GraphEditor): number[] | undefined {
  const constant = editor.constant(node.input[1])
  if (constant === undefined) return intsOf(node, 'axes')
  return Array.from(dataOf(constant) as BigInt64Array, Number)
}

// x − c  ⇒  x + (−c): addition has an integer kernel
const subtractConstant = rule({
  name: 'subtract-constant',
  match(node, editor) {
    const [, right = ''] = node.input
    const values = node.opType === 'Sub' ? floats(right, editor) : null
    return values && { node, values, right }
  },
  rewrite({ node, values, right }, editor) {
    const shape = editor.constant(right)?.dims.map(Number) ?? []
    const negative = editor.addConstant(
      right,
      'float32',
      shape,
      values.map((value) => -value),
    )
    editor.replace(node, editor.newNode('Add', [node.input[0] as string, negative], node.output))
  },
})

// Pad with zeros around the image → Conv  ⇒  Conv with that padding
const padConv = rule({
  name: 'pad-conv',
  match(node, editor) {
    const [data = '', padsName = '', valueName = '', axes] = node.input
    const pads = editor.constant(padsName)
    const conv = editor.onlyConsumer(node.output[0] ?? '')
    if (node.opType !== 'Pad' || !pads || axes || conv?.opType !== 'Conv') return null
    if (conv.input[0] !== node.output[0] || stringOf(node, 'mode', 'constant') !== 'constant')
      return null
    if (valueName !== '' && floats(valueName, editor)?.[0] !== 0) return null
    const all = Array.from(dataOf(pads) as BigInt64Array, Number)
    const rank = all.length / 2
    const others = [all[0], all[1], all[rank], all[rank + 1]]
    const spatial = [...all.slice(2, rank), ...all.slice(rank + 2)]
    const explicit = ['NOTSET', 'VALID'].includes(stringOf(conv, 'auto_pad', 'NOTSET'))
    if (!explicit || others.some((pad) => pad !== 0) || spatial.some((pad) => pad < 0)) return null
    return { node, conv, data, spatial }
  },
  rewrite({ node, conv, data, spatial }, editor) {
    const own = stringOf(conv, 'auto_pad', 'NOTSET') === 'VALID' ? undefined : intsOf(conv, 'pads')
    setAttribute(conv, 'auto_pad', 'string', 'NOTSET')
    setAttribute(
      conv,
      'pads',
      'ints',
      spatial.map((pad, i) => pad + (own?.[i] ?? 0)),
    )
    conv.input = [data, ...conv.input.slice(1)]
    editor.replace(node)
  },
})

// Sum(a, b)  ⇒  a + b
const sumOfTwo = rule({
  name: 'sum-of-two',
  match: (node) => (node.opType === 'Sum' && node.input.length === 2 ? node : null),
  rewrite: (node, editor) => editor.replace(node, editor.newNode('Add', node.input, node.output)),
})

/** Rewrites that keep every output within float rounding. Constants are folded before and after. */
export const RULES: readonly Rule[] = [identity, sumOfTwo, foldAffine, matmulAdd, padConv]

/** Those that only pay when operators compute on integers. */
export const INTEGER_RULES: readonly Rule[] = [meanOfPixels, subtractConstant, channelShuffle]
