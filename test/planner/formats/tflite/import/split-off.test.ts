import t from 'tap'
import { readOnnx, writeOnnx } from '../../../../../planner/formats/onnx/index.ts'
import { splitOff } from '../../../../../planner/formats/tflite/import/index.ts'
import { int64s, numbers, smallOnnx } from '../../onnx/small-onnx.ts'

/** A detector whose bound of overlaps is computed from a constant, by an operator that leaves out an input. */
const detector = smallOnnx({
  inputs: { boxes: [1, 6, 4], scores: [1, 1, 6] },
  outputs: ['found'],
  constants: { k: int64s(6), most: int64s(5), wide: numbers(2), whole: numbers(1) },
  rows: [
    ['TopK', ['scores', 'k'], ['', 'order'], { axis: ['int', 2] }],
    ['GatherElements', ['scores', 'order'], ['sorted'], { axis: ['int', 2] }],
    ['Clip', ['wide', '', 'whole'], ['overlap']],
    ['NonMaxSuppression', ['boxes', 'sorted', 'most', 'overlap'], ['found']],
  ],
})

t.test('what is left out of inputs and outputs has no name in common', (t) => {
  const split = splitOff(writeOnnx(detector), 'detector.onnx')
  const left = split && readOnnx(split.bytes, 'detector.onnx')
  t.same(
    left?.graph?.output.map(({ name }) => name),
    ['sorted'],
    'a constant is none of the ends',
  )
  t.end()
})
