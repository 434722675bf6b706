import t from 'tap'
import { writeOnnx } from '../../../../../planner/formats/onnx/index.ts'
import { newMessage, type OnnxGraph } from '../../../../../planner/formats/onnx/model.ts'
import { importOnnx } from '../../../../../planner/formats/tflite/import/index.ts'
import { writeTflite } from '../../../../../planner/formats/tflite/index.ts'
import { LitertEngine } from '../../../../../shared/runtime/litert/engine.ts'
import { onnxruntime } from '../../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import type { Tensor } from '../../../../../shared/tensors.ts'
import { relativeError } from '../../onnx/import/relative-error.ts'
import { int64s, type Row, smallOnnx } from '../../onnx/small-onnx.ts'

const litert = await LitertEngine.start()

t.setTimeout(0)

/** A branch of a few nodes, which sees the values around it. */
function branch(
  rows: readonly Row[],
  output: string,
  constants: Record<string, BigInt64Array> = {},
): OnnxGraph {
  const { graph } = smallOnnx({ inputs: {}, outputs: [output], rows, constants })
  return graph ?? newMessage('GraphProto', {})
}

const choosing = (yes: OnnxGraph, no: OnnxGraph) =>
  smallOnnx({
    inputs: { x: [2, 4] },
    outputs: ['y'],
    constants: { zero: new Float32Array([0]) },
    rows: [
      ['ReduceMax', ['x'], ['largest'], { keepdims: ['int', 0] }],
      ['Greater', ['largest', 'zero'], ['flag']],
      ['If', ['flag'], ['chosen'], { then_branch: ['graph', yes], else_branch: ['graph', no] }],
      ['Neg', ['chosen'], ['y']],
    ],
  })

async function errorFor(bytes: Uint8Array, numbers: readonly number[]): Promise<number> {
  const { model } = await importOnnx(bytes, 'if.onnx')
  const theirs = await onnxruntime.load(bytes)
  const ours = litert.load(writeTflite(model))
  const x: Tensor = { type: 'float32', shape: [2, 4], data: Float32Array.from(numbers) }
  const { y } = (await theirs.run({ x })) as { y: Tensor }
  const [actual] = ours.run({ x })
  const error = relativeError(actual as Tensor, y.data, y.shape)
  ours.close()
  await theirs.close()
  return error
}

t.test('an If on values runs both branches and chooses', async (t) => {
  const yes = branch([['Sigmoid', ['x'], ['inner']]], 'inner')
  const no = branch([['Exp', ['x'], ['inner']]], 'inner')
  const bytes = writeOnnx(choosing(yes, no))
  t.ok((await errorFor(bytes, [1, 2, 3, 4, 5, 6, 7, 8])) < 1e-6)
  t.ok((await errorFor(bytes, [-1, -2, -3, -4, -5, -6, -7, -8])) < 1e-6)
})

t.test('a branch that the sizes of the inputs do not fit is told in one line', async (t) => {
  const yes = branch(
    [
      ['Squeeze', ['x', 'axis'], ['inner']],
      ['Relu', ['inner'], ['end']],
    ],
    'end',
    {
      axis: int64s(0),
    },
  )
  const no = branch([['Relu', ['x'], ['inner']]], 'inner')
  await t.rejects(importOnnx(writeOnnx(choosing(yes, no)), 'if.onnx'), {
    code: 'not-loadable',
    message: /^ONNX Runtime cannot load the model: [^\n]*Squeeze[^\n]*$/,
  })
})
