import type { OnnxModel } from '../../../../planner/formats/onnx/model.ts'
import { GraphEditor } from '../../../../planner/formats/onnx/prepare/graph-editor.ts'
import { newTensor } from '../../../../planner/formats/onnx/tensor-data.ts'
import { sizeOf } from '../../../../shared/tensors.ts'
import { randomFrom } from './import/one-operator.ts'
import { int64s, numbers, type Row, smallOnnx } from './small-onnx.ts'

export interface EncoderSize {
  readonly length: number
  readonly width: number
  readonly heads: number
  readonly inner: number
  readonly layers: number
}

/** A transformer encoder with generated weights: attention and a feed-forward block per layer, post-norm. */
export function encoder({ length, width, heads, inner, layers }: EncoderSize): OnnxModel {
  const random = randomFrom(7)
  const weights: [name: string, shape: readonly number[]][] = []
  const dense = (from: string, to: string, rows: number, columns: number): Row[] => {
    weights.push([`${to}.w`, [rows, columns]], [`${to}.b`, [columns]])
    return [
      ['MatMul', [from, `${to}.w`], [`${to}.p`]],
      ['Add', [`${to}.p`, `${to}.b`], [to]],
    ]
  }
  const perm = { perm: ['ints', [0, 2, 1, 3]] } as const
  const layer = (x: string, y: string): Row[] => [
    ...['q', 'k', 'v'].flatMap((part): Row[] => [
      ...dense(x, `${y}.${part}0`, width, width),
      ['Reshape', [`${y}.${part}0`, 'split'], [`${y}.${part}1`]],
      [
        'Transpose',
        [`${y}.${part}1`],
        [`${y}.${part}`],
        part === 'k' ? { perm: ['ints', [0, 2, 3, 1]] } : perm,
      ],
    ]),
    ['MatMul', [`${y}.q`, `${y}.k`], [`${y}.s0`]],
    ['Mul', [`${y}.s0`, 'scale'], [`${y}.s1`]],
    ['Softmax', [`${y}.s1`], [`${y}.s`], { axis: ['int', -1] }],
    ['MatMul', [`${y}.s`, `${y}.v`], [`${y}.a0`]],
    ['Transpose', [`${y}.a0`], [`${y}.a1`], perm],
    ['Reshape', [`${y}.a1`, 'join'], [`${y}.a2`]],
    ...dense(`${y}.a2`, `${y}.a3`, width, width),
    ['Add', [x, `${y}.a3`], [`${y}.r1`]],
    ['LayerNormalization', [`${y}.r1`, 'gamma', 'beta'], [`${y}.n1`]],
    ...dense(`${y}.n1`, `${y}.f0`, width, inner),
    ['Relu', [`${y}.f0`], [`${y}.f1`]],
    ...dense(`${y}.f1`, `${y}.f2`, inner, width),
    ['Add', [`${y}.n1`, `${y}.f2`], [`${y}.r2`]],
    ['LayerNormalization', [`${y}.r2`, 'gamma', 'beta'], [y]],
  ]
  const rows = Array.from({ length: layers }, (_, i) => layer(i === 0 ? 'x' : `l${i}`, `l${i + 1}`))
  const model = smallOnnx({
    inputs: { x: [1, length, width] },
    outputs: [`l${layers}`],
    constants: {
      split: int64s(1, length, heads, width / heads),
      join: int64s(1, length, width),
      scale: numbers(1 / Math.sqrt(width / heads)),
      gamma: Float32Array.from({ length: width }, () => 1),
      beta: Float32Array.from({ length: width }, () => 0),
    },
    rows: rows.flat(),
  })
  const editor = new GraphEditor(model.graph as never)
  for (const [name, shape] of weights) {
    const spread = 2 / Math.sqrt(shape[0] as number)
    const values = Float32Array.from(
      { length: sizeOf(shape) },
      () => (random() + random() - 1) * spread,
    )
    editor.graph.initializer.push(newTensor(name, 'float32', shape, values))
  }
  return model
}
