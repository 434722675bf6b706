import t from 'tap'
import {
  cloneModel,
  constantOf,
  operatorName,
  optionsOf,
  type TflModel,
} from '../../../../planner/formats/tflite/index.ts'
import { operatorAt, smallModel, tensorAt } from './small-model.ts'

const operator = (model: TflModel) => operatorAt(model, 0)
const weights = (model: TflModel) => tensorAt(model, 1)

t.test('operators are named by builtin or custom code', async (t) => {
  const model = smallModel()
  t.equal(operatorName(model, operator(model)), 'FULLY_CONNECTED')
  model.operatorCodes = [{ builtinCode: 'CUSTOM', customCode: 'Frobnicate', version: 1 }]
  t.equal(operatorName(model, operator(model)), 'Frobnicate')
})

t.test('options come typed, or not at all', async (t) => {
  const model = smallModel()
  operator(model).builtinOptions = { type: 'FullyConnectedOptions', keepNumDims: true }
  const keepNumDims: boolean | undefined = optionsOf(
    operator(model),
    'FullyConnectedOptions',
  )?.keepNumDims
  t.equal(keepNumDims, true)
  t.equal(optionsOf(operator(model), 'Conv2DOptions'), null)
  operator(model).builtinOptions2 = { type: 'StablehloPadOptions', edgePaddingLow: null }
  t.equal(optionsOf(operator(model), 'StablehloPadOptions')?.edgePaddingLow, null)
})

t.test('constants come as typed arrays wherever they lie', async (t) => {
  const model = smallModel()
  t.strictSame(constantOf(model, weights(model)), Float32Array.of(1, -2, 0.5))
  const shifted = new Uint8Array(13)
  shifted.set(new Uint8Array(Float32Array.of(1, -2, 0.5).buffer), 1)
  model.buffers[1] = { data: shifted.subarray(1) }
  t.strictSame(constantOf(model, weights(model)), Float32Array.of(1, -2, 0.5), 'unaligned')
  model.buffers[1] = { data: shifted }
  t.throws(() => constantOf(model, weights(model)), {
    code: 'corrupt',
    message: /weights: 13 bytes/,
  })
  model.buffers[1] = { data: null }
  t.equal(constantOf(model, weights(model)), null)
  weights(model).externalBuffer = 1
  t.throws(() => constantOf(model, weights(model)), { code: 'external-weights' })
})

t.test('a clone changes alone and shares the bytes', async (t) => {
  const model = smallModel()
  weights(model).quantization = {
    min: null,
    max: null,
    scale: Float32Array.of(1),
    zeroPoint: BigInt64Array.of(0n),
    quantizedDimension: 0,
    details: null,
  }
  const clone = cloneModel(model)
  t.strictSame(clone, model)
  t.equal(clone.buffers[1]?.data, model.buffers[1]?.data)
  clone.subgraphs[0]?.tensors.pop()
  clone.buffers[1] = { data: null }
  weights(clone).quantization?.scale?.fill(9)
  t.equal(model.subgraphs[0]?.tensors.length, 3)
  t.equal(model.buffers[1]?.data?.length, 12)
  t.strictSame(weights(model).quantization?.scale, Float32Array.of(1))
})
