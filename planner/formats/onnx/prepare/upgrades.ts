import {
  dropAttributes,
  floatOf,
  floatsOf,
  hasAttribute,
  intOf,
  intsOf,
  setAttribute,
  stringOf,
} from '../attributes.ts'
import type { OnnxNode } from '../model.ts'
import type { GraphEditor } from './graph-editor.ts'

/** How a node of an older opset says the same in opset 13. */
export interface Upgrade {
  readonly opType: string
  /** The opset that changed the operator: older models take the row. */
  readonly changedIn: number
  /** @returns false where this node cannot be said in opset 13 */
  readonly upgrade: (node: OnnxNode, editor: GraphEditor) => boolean
}

function row(
  opType: string,
  changedIn: number,
  upgrade: (node: OnnxNode, editor: GraphEditor) => boolean | undefined,
): Upgrade {
  return { opType, changedIn, upgrade: (node, editor) => upgrade(node, editor) ?? true }
}

/** Attributes of ints that became inputs, in the order of the inputs after the first. */
function intsToInputs(...names: string[]) {
  return (node: OnnxNode, editor: GraphEditor): undefined => {
    const inputs = names.map((name) => {
      const values = intsOf(node, name)
      return values === undefined ? '' : editor.addInt64s(`${node.output[0]}/${name}`, values)
    })
    while (inputs.at(-1) === '') inputs.pop()
    node.input = [node.input[0] as string, ...inputs]
    dropAttributes(node, ...names)
  }
}

function scalar(editor: GraphEditor, near: string, value: number): string {
  return editor.addConstant(near, 'float32', [], Float32Array.of(value))
}

/** min and max became inputs; absent ones are unbounded. */
function clip(node: OnnxNode, editor: GraphEditor): undefined {
  const bounds = ['min', 'max'].map((name) => {
    const value = floatOf(node, name, undefined)
    return value === undefined ? '' : scalar(editor, `${node.output[0]}/${name}`, value)
  })
  while (bounds.at(-1) === '') bounds.pop()
  node.input = [node.input[0] as string, ...bounds]
  dropAttributes(node, 'min', 'max')
}

function pad(node: OnnxNode, editor: GraphEditor): undefined {
  const value = floatOf(node, 'value', 0)
  intsToInputs('pads')(node, editor)
  if (value !== 0) node.input.push(scalar(editor, `${node.output[0]}/value`, value))
  dropAttributes(node, 'value')
}

/** Until 12 over all axes from `axis` (1) on, flattened, which needs no rank; since 13 over one axis (−1). */
function softmax(node: OnnxNode, editor: GraphEditor): boolean {
  const [input = '', output = ''] = [node.input[0], node.output[0]]
  const rank = editor.typeOf(input).shape?.length
  const axis = intOf(node, 'axis', 1)
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) {
    setAttribute(node, 'axis', 'int', -1)
    return true
  }
  const [shape, flat, result] = ['shape', 'flat', 'rows'].map((word) =>
    editor.fresh(`${output}/${word}`),
  ) as [string, string, string]
  editor.replace(
    node,
    editor.newNode('Shape', [input], [shape]),
    editor.newNode('Flatten', [input], [flat], { axis: ['int', axis] }),
    editor.newNode(node.opType, [flat], [result], { axis: ['int', -1] }),
    editor.newNode('Reshape', [result, shape], [output]),
  )
  return true
}

/** Upsample, and Resize of opset 10, sample at asymmetric coordinates and round down. */
function resize(node: OnnxNode, editor: GraphEditor): boolean {
  const scales = floatsOf(node, 'scales')
  const attribute = hasAttribute(node, 'scales') && scales !== undefined
  const input = attribute
    ? editor.addConstant(
        `${node.output[0]}/scales`,
        'float32',
        [scales.length],
        Float32Array.from(scales),
      )
    : node.input[1]
  if (input === undefined) return false
  const mode = stringOf(node, 'mode', 'nearest')
  const replacement = editor.newNode('Resize', [node.input[0] as string, '', input], node.output, {
    mode: ['string', mode === 'bilinear' ? 'linear' : mode],
    coordinate_transformation_mode: ['string', 'asymmetric'],
    ...(mode === 'nearest' ? { nearest_mode: ['string', 'floor'] as const } : {}),
  })
  editor.replace(node, replacement)
  return true
}

/** Statistics per channel is all that is left; training outputs nobody asks for go. */
function batchNormalization(node: OnnxNode): boolean {
  if (intOf(node, 'spatial', 1) === 0) return false
  dropAttributes(node, 'spatial', 'is_test', 'consumed_inputs')
  node.output = node.output.slice(0, 1)
  return true
}

/** Every operator that says something else before opset 13 (onnx/docs/Changelog.md, opsets 8 to 13). */
export const UPGRADES: readonly Upgrade[] = [
  row('BatchNormalization', 9, batchNormalization),
  row('Dropout', 12, (node) => void dropAttributes(node, 'ratio', 'is_test')),
  row('Clip', 11, clip),
  row('Pad', 11, pad),
  row('Slice', 10, intsToInputs('starts', 'ends', 'axes')),
  row('TopK', 10, (node, editor) => {
    const k = editor.addInt64s(`${node.output[0]}/k`, [intOf(node, 'k', 1)])
    node.input = [node.input[0] as string, k]
    dropAttributes(node, 'k')
    return undefined
  }),
  row('Scatter', 11, (node) => {
    node.opType = 'ScatterElements'
    return undefined
  }),
  row('Upsample', 10, resize),
  row('Resize', 11, resize),
  ...['Squeeze', 'Unsqueeze', 'ReduceSum'].map((opType) => row(opType, 13, intsToInputs('axes'))),
  row('Split', 13, intsToInputs('split')),
  ...['Softmax', 'LogSoftmax', 'Hardmax'].map((opType) => row(opType, 13, softmax)),
]
