import { invariant } from '../../../../shared/errors.ts'
import type { OperatorId } from '../../../graph/index.ts'
import { blockCodes, transposed } from '../../../graph/index.ts'
import { intOf } from '../attributes.ts'
import { dataOf, dimsOf } from '../tensor-data.ts'
import { importContrib } from './contrib.ts'
import type { ModelRewriter } from './model-rewriter.ts'

/** What MatMulNBits recommends on CPUs. */
const BLOCK = 32
/** Activations are rounded to int8 block by block inside the kernel: several times faster than float32. */
const ACCURACY_LEVEL = 4

/** A product with an int4 weight: com.microsoft MatMulNBits, codes two to a byte, zero at 8. */
export function computeBlocks(rewriter: ModelRewriter, operator: OperatorId): void {
  const { editor } = rewriter
  const { node } = rewriter.at(operator)
  const [data = '', weightName = '', bias = ''] = node.input
  const [output = ''] = node.output
  const weight = editor.constant(weightName)
  invariant(weight !== undefined, 'plans give blocks to constant weights only')
  const turned = node.opType !== 'Gemm' || intOf(node, 'transB', 0) === 0
  const [rows, columns] = turned ? dimsOf(weight).reverse() : dimsOf(weight)
  invariant(rows !== undefined && columns !== undefined, 'weights of products are matrices')
  const source = dataOf(weight) as Float32Array
  const values = turned ? transposed(source, columns, rows) : source
  const { codes, scales, blocksPerRow } = blockCodes(values, columns, BLOCK)
  const packed = new Uint8Array(codes.length / 2)
  for (let i = 0; i < packed.length; i += 1) {
    packed[i] = (codes[2 * i] as number) | ((codes[2 * i + 1] as number) << 4)
  }
  const shape = [rows, blocksPerRow, BLOCK / 2]
  const inputs = [
    data,
    editor.addConstant(`${weightName}/int4`, 'uint8', shape, packed),
    editor.addConstant(`${weightName}/scales`, 'float32', [scales.length], scales),
  ]
  const product = bias === '' ? output : rewriter.fresh(`${output}/product`)
  const attributes = {
    K: ['int', columns],
    N: ['int', rows],
    bits: ['int', 4],
    block_size: ['int', BLOCK],
    accuracy_level: ['int', ACCURACY_LEVEL],
  } as const
  editor.replace(
    node,
    editor.newNode('MatMulNBits', inputs, [product], attributes, importContrib(rewriter)),
    ...(bias === '' ? [] : [editor.newNode('Add', [product, bias], [output])]),
  )
}
