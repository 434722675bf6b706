import { invariant } from '../../../../shared/errors.ts'
import { sizeOf } from '../../../../shared/tensors.ts'
import { permuted } from '../../../graph/index.ts'
import { intOf } from '../attributes.ts'
import { CONTRIB, operatorName } from '../domains.ts'
import { newMessage, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../model.ts'
import { DATA_TYPES } from '../schema.ts'
import { dataOf, newTensor } from '../tensor-data.ts'
import { GraphEditor } from './graph-editor.ts'

/**
 * Products of weights in eight bits with activations that are rounded while the model runs become products of the same
 * weights with the activations as they are: what DynamicQuantizeLinear makes of a number, times its scale, is that
 * number but for rounding. Changes `graph`.
 * @returns whether anything was rounded so
 */
export function dynamicAsFloats(graph: OnnxGraph): boolean {
  const editor = new GraphEditor(graph)
  const rounding = graph.node.filter(
    ({ opType, domain }) => opType === 'DynamicQuantizeLinear' && domain === '',
  )
  const all = new Map(rounding.map(({ input, output }) => [output[0] ?? '', input[0] ?? '']))
  // A scale goes with its codes: where they are read otherwise as well, both stay.
  const exact = rounding.every((node) => isForProducts(node, editor, all)) ? all : NONE
  let changed = false
  for (const node of [...graph.node]) {
    const nodes = PRODUCTS[operatorName(node)]?.(node, editor, exact) ?? null
    if (nodes === null) continue
    editor.replace(node, ...nodes)
    changed = true
  }
  if (exact === NONE) return changed
  for (const node of rounding) {
    editor.replace(node)
    const [, scale = ''] = node.output
    if (scale !== '') graph.initializer.push(newTensor(scale, 'float32', [], Float32Array.of(1)))
  }
  return changed
}

const NONE: Exact = new Map()

function isForProducts({ output }: OnnxNode, editor: GraphEditor, exact: Exact): boolean {
  const [codes = '', , zero = ''] = output
  return [codes, zero].filter(Boolean).every(
    (name) =>
      !editor.isSeenOutside(name) &&
      editor.consumers(name).every((reader) => {
        const opType = SUMS[reader.domain === '' ? reader.opType : '']
        return opType !== undefined && isSumOfReals(reader, editor, exact)
      }),
  )
}

/** Operators that add up products of codes → the same on numbers. */
const SUMS: Readonly<Record<string, string>> = { MatMulInteger: 'MatMul', ConvInteger: 'Conv' }

/** Cast to float at once, of operands whose numbers are known. */
function isSumOfReals({ input, output }: OnnxNode, editor: GraphEditor, exact: Exact): boolean {
  const [result = ''] = output
  const float = DATA_TYPES.float32.code
  const casts = editor
    .consumers(result)
    .every((reader) => reader.opType === 'Cast' && intOf(reader, 'to', 0) === float)
  const isKnown = (at: number) =>
    exact.has(input[at] ?? '') ||
    (editor.constant(input[at]) !== undefined &&
      (!input[at + 2] || editor.constant(input[at + 2]) !== undefined))
  return casts && !editor.isSeenOutside(result) && isKnown(0) && isKnown(1)
}

type Exact = ReadonlyMap<string, string>
type Product = (node: OnnxNode, editor: GraphEditor, exact: Exact) => OnnxNode[] | null

const PRODUCTS: Readonly<Record<string, Product>> = {
  MatMulInteger: ofCodes,
  ConvInteger: ofCodes,
  [`${CONTRIB}.DynamicQuantizeMatMul`]: dynamicMatMul,
  [`${CONTRIB}.DynamicQuantizeLSTM`]: dynamicLstm,
}

/** Of numbers as they were, sums need no cast. */
function ofCodes(node: OnnxNode, editor: GraphEditor, exact: Exact): OnnxNode[] | null {
  const opType = SUMS[node.opType]
  if (opType === undefined || !isSumOfReals(node, editor, exact)) return null
  const operands = [0, 1].map((at) => {
    const name = node.input[at] ?? ''
    return exact.get(name) ?? weightOf(editor, name, node.input[at + 2])
  })
  const made = editor.newNode(opType, operands, node.output)
  made.attribute = node.attribute
  return [made]
}

/** Codes less their zero point, one for all or one for each of the last axis. */
function weightOf(editor: GraphEditor, name: string, zeroPoint: string | undefined): string {
  const codes = editor.constant(name)
  invariant(codes !== undefined, `"${name}" is a constant`)
  return real(editor, codes, {
    zeros: editor.constant(zeroPoint),
    scales: undefined,
    turned: false,
  })
}

interface Stored {
  readonly zeros: OnnxTensor | undefined
  readonly scales: OnnxTensor | undefined
  /** Whether they are [stack, rows, columns] of which the last two change places. */
  readonly turned: boolean
}

/** A float constant of codes; scales and zero points are one, one a column, or one a column of each in a stack. */
function real(editor: GraphEditor, codes: OnnxTensor, { zeros, scales, turned }: Stored): string {
  const shape = codes.dims.map(Number)
  const columns = shape.at(-1) ?? 1
  const stack = shape.length > 2 && turned ? (shape[0] as number) : 1
  const each = sizeOf(shape) / stack
  const at = (values: ArrayLike<number | bigint> | undefined, i: number, usual: number) => {
    if (values === undefined) return usual
    const [layer, column] = [Math.floor(i / each), i % columns]
    const count = values.length
    const place =
      count === 1
        ? 0
        : count === stack
          ? layer
          : count === columns
            ? column
            : layer * columns + column
    return Number(values[place])
  }
  const given = dataOf(codes)
  const [minus, times] = [zeros && dataOf(zeros), scales && dataOf(scales)]
  const values = Float32Array.from(
    { length: given.length },
    (_, i) => (Number(given[i]) - at(minus, i, 0)) * at(times, i, 1),
  )
  const name = `${codes.name}/real`
  if (!turned) return editor.addConstant(name, 'float32', shape, values)
  const order = [0, 2, 1]
  const sizes = order.map((axis) => shape[axis] as number)
  return editor.addConstant(name, 'float32', sizes, permuted(values, shape, order))
}

/** onnxruntime, ContribOperators: DynamicQuantizeMatMul. */
function dynamicMatMul(node: OnnxNode, editor: GraphEditor): OnnxNode[] | null {
  const [x = '', weight, scale, zero, bias] = node.input
  const [codes, scales] = [editor.constant(weight), editor.constant(scale)]
  if (codes === undefined || scales === undefined) return null
  const zeros = zero ? editor.constant(zero) : undefined
  const right = real(editor, codes, { zeros, scales, turned: false })
  if (!bias) return [editor.newNode('MatMul', [x, right], node.output)]
  const product = editor.fresh(`${node.output[0]}/product`)
  return [
    editor.newNode('MatMul', [x, right], [product]),
    editor.newNode('Add', [product, bias], node.output),
  ]
}

/** Weights [directions, inputs, gates] where LSTM has [directions, gates, inputs] (onnxruntime, ContribOperators). */
function dynamicLstm(node: OnnxNode, editor: GraphEditor): OnnxNode[] | null {
  const weights = [
    { codes: editor.constant(node.input[1]), scale: node.input[8], zero: node.input[9] },
    { codes: editor.constant(node.input[2]), scale: node.input[10], zero: node.input[11] },
  ].map(({ codes, scale, zero }) => {
    const scales = editor.constant(scale)
    if (codes === undefined || scales === undefined) return null
    return real(editor, codes, { zeros: editor.constant(zero), scales, turned: true })
  })
  const [ofInput = null, recurrent = null] = weights
  if (ofInput === null || recurrent === null) return null
  const inputs = [node.input[0] ?? '', ofInput, recurrent, ...node.input.slice(3, 8)]
  while (inputs.at(-1) === '') inputs.pop()
  return [
    newMessage('NodeProto', {
      opType: 'LSTM',
      name: node.name,
      input: inputs,
      output: node.output,
      attribute: node.attribute,
    }),
  ]
}
