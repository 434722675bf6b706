import { invariant } from '../../../../shared/errors.ts'
import type { OperatorId } from '../../../graph/index.ts'
import { intOf } from '../attributes.ts'
import { dataOf, dimsOf } from '../tensor-data.ts'
import type { ModelRewriter } from './model-rewriter.ts'

/**
 * A product of a float activation and stored codes, as ONNX Runtime fuses it into one kernel:
 * DynamicQuantizeLinear → MatMulInteger → Cast → Mul by both scales → Add bias.
 */
export function computeHybrid(rewriter: ModelRewriter, operator: OperatorId): void {
  const { editor } = rewriter
  const { node } = rewriter.at(operator)
  const [data = '', weight = '', bias = ''] = node.input
  const [output = ''] = node.output
  const stored = rewriter.stored.get(weight)
  invariant(stored !== undefined, 'a hybrid product reads a stored weight')
  const codes = matrixCodes(rewriter, stored.codes, intOf(node, 'transB', 0) === 1)
  const { scales } = stored.form.parameters
  const weightScale = editor.addConstant(
    `${output}/scale`,
    'float32',
    scales.length === 1 ? [] : [scales.length],
    Float32Array.from(scales),
  )
  const named = (word: string) => rewriter.fresh(`${output}/${word}`)
  const [quantized, scale, zero] = rewriter.quantizedAtRun(data, node)
  const [sum, real, both] = [named('sum'), named('real'), named('scales')]
  const product = bias === '' ? output : named('product')
  editor.replace(
    node,
    editor.newNode('MatMulInteger', [quantized, codes, zero], [sum]),
    editor.newNode('Cast', [sum], [real], { to: ['int', 1] }),
    editor.newNode('Mul', [scale, weightScale], [both]),
    editor.newNode('Mul', [real, both], [product]),
    ...(bias === '' ? [] : [editor.newNode('Add', [product, bias], [output])]),
  )
}

/** MatMulInteger wants [inputs, outputs]; Gemm may have kept its weight the other way round. */
function matrixCodes(rewriter: ModelRewriter, codes: string, transposed: boolean): string {
  const constant = rewriter.editor.constant(codes)
  invariant(constant !== undefined, 'codes are constants')
  if (!transposed) return codes
  const [rows = 0, columns = 0] = dimsOf(constant)
  const source = dataOf(constant) as Int8Array
  const turned = new Int8Array(source.length)
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      turned[column * rows + row] = source[row * columns + column] as number
    }
  }
  return rewriter.editor.addConstant(`${codes}/turned`, 'int8', [columns, rows], turned)
}
