import type { OnnxNode } from '../../../onnx/index.ts'
import { dataOf, elementCount, elementTypeOf } from '../../../onnx/index.ts'
import { channelShuffle, type GraphEditor, type Rule, rule } from '../../../onnx/source.ts'

/** Chains that exporters write out and kernels know whole. */

/** The one number that a constant holds. */
function numberOf(name: string | undefined, editor: GraphEditor): number | null {
  const constant = editor.constant(name)
  if (
    constant === undefined ||
    elementCount(constant) !== 1 ||
    elementTypeOf(constant) !== 'float32'
  )
    return null
  return Number(dataOf(constant)[0])
}

/** The computed input and the number of a node that has one of each; null for all others. */
function withNumber(node: OnnxNode | undefined, opTypes: string, editor: GraphEditor) {
  if (node === undefined || !opTypes.split(' ').includes(node.opType)) return null
  const [left = '', right = ''] = node.input
  const ofRight = numberOf(right, editor)
  if (ofRight !== null) return { value: left, number: ofRight }
  const ofLeft = node.opType === 'Div' || node.opType === 'Sub' ? null : numberOf(left, editor)
  return ofLeft === null ? null : { value: right, number: ofLeft }
}

/** x · c, or x / (1/c). */
function scaledBy(node: OnnxNode | undefined, editor: GraphEditor) {
  const found = withNumber(node, 'Mul Div', editor)
  if (found === null || node === undefined) return null
  return { value: found.value, factor: node.opType === 'Div' ? 1 / found.number : found.number }
}

const near = (a: number, b: number) => Math.abs(a - b) <= 1e-4 * Math.abs(b)

/** The node that makes `value`, where nobody else reads it. */
function soleMaker(value: string, editor: GraphEditor): OnnxNode | undefined {
  return editor.onlyConsumer(value) === undefined ? undefined : editor.producer(value)
}

/** All factors of a product of Mul and Div nodes that nobody else reads. */
function factorsOf(
  node: OnnxNode,
  editor: GraphEditor,
): { values: string[]; factor: number; nodes: OnnxNode[] } {
  const scaled = scaledBy(node, editor)
  if (scaled !== null) {
    const inner = factorsOfValue(scaled.value, editor)
    return { ...inner, factor: inner.factor * scaled.factor, nodes: [node, ...inner.nodes] }
  }
  if (node.opType !== 'Mul') return { values: [node.output[0] as string], factor: 1, nodes: [] }
  const sides = node.input.map((name) => factorsOfValue(name, editor))
  return {
    values: sides.flatMap(({ values }) => values),
    factor: sides.reduce((product, { factor }) => product * factor, 1),
    nodes: [node, ...sides.flatMap(({ nodes }) => nodes)],
  }
}

function factorsOfValue(value: string, editor: GraphEditor) {
  const maker = soleMaker(value, editor)
  const isProduct =
    maker !== undefined && (maker.opType === 'Mul' || scaledBy(maker, editor) !== null)
  return isProduct
    ? factorsOf(maker, editor)
    : { values: [value], factor: 1, nodes: [] as OnnxNode[] }
}

// x · ½ · (1 + erf(x / √2))  ⇒  Gelu(x)
const gelu = rule({
  name: 'gelu',
  match(node, editor) {
    if (node.opType !== 'Mul' && node.opType !== 'Div') return null
    if (editor.onlyConsumer(node.output[0] ?? '')?.opType === 'Mul' && isHalf(node, editor))
      return null
    const { values, factor } = factorsOf(node, editor)
    if (values.length !== 2 || !near(factor, 0.5)) return null
    return (
      values.flatMap((plusOne, i) => {
        const x = values[1 - i] as string
        return isErfPlusOne(plusOne, x, editor) ? [{ node, x }] : []
      })[0] ?? null
    )
  },
  rewrite({ node, x }, editor) {
    editor.replace(
      node,
      editor.newNode('Gelu', [x], node.output, { approximate: ['string', 'none'] }),
    )
  },
})

/** A product that goes on: the last one is where the chain is recognised. */
function isHalf(node: OnnxNode, editor: GraphEditor): boolean {
  const next = editor.onlyConsumer(node.output[0] ?? '')
  return next !== undefined && scaledBy(next, editor) !== null
}

function isErfPlusOne(value: string, x: string, editor: GraphEditor): boolean {
  const sum = withNumber(editor.producer(value), 'Add', editor)
  const erf = sum !== null && sum.number === 1 ? editor.producer(sum.value) : undefined
  if (erf?.opType !== 'Erf') return false
  const inner = scaledBy(editor.producer(erf.input[0] ?? ''), editor)
  return inner !== null && inner.value === x && near(inner.factor, Math.SQRT1_2)
}

// x · HardSigmoid(x, ⅙, ½), and x · clip(x + 3, 0, 6) / 6  ⇒  HardSwish(x)
const hardSwish = rule({
  name: 'hard-swish',
  match(node, editor) {
    if (node.opType !== 'Mul' && node.opType !== 'Div') return null
    const { values, factor } = factorsOf(node, editor)
    if (values.length !== 2) return null
    return (
      values.flatMap((gate, i) => {
        const x = values[1 - i] as string
        const matches =
          (near(factor, 1) && isHardSigmoid(gate, x, editor)) ||
          (near(factor, 1 / 6) && isClippedLine(gate, x, editor))
        return matches ? [{ node, x }] : []
      })[0] ?? null
    )
  },
  rewrite({ node, x }, editor) {
    editor.replace(node, editor.newNode('HardSwish', [x], node.output))
  },
})

function isHardSigmoid(value: string, x: string, editor: GraphEditor): boolean {
  const maker = editor.producer(value)
  if (maker?.opType !== 'HardSigmoid' || maker.input[0] !== x) return false
  const of = (name: string, fallback: number) =>
    maker.attribute.find((one) => one.name === name)?.f ?? fallback
  return near(of('alpha', 0.2), 1 / 6) && of('beta', 0.5) === 0.5
}

function isClippedLine(value: string, x: string, editor: GraphEditor): boolean {
  const clip = editor.producer(value)
  if (clip?.opType !== 'Clip') return false
  const line = withNumber(editor.producer(clip.input[0] ?? ''), 'Add', editor)
  const bounds = [1, 2].map((at) => numberOf(clip.input[at], editor))
  return (
    line !== null && line.value === x && line.number === 3 && bounds[0] === 0 && bounds[1] === 6
  )
}

export const PATTERNS: readonly Rule[] = [hardSwish, gelu, channelShuffle]
