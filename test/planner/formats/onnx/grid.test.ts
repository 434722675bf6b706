import t from 'tap'
import { firstOf, gridOf } from '../../../../planner/formats/onnx/grid.ts'

const SIZES = [1, 3, 4, 7, 14, 28, 56, 112, 127, 500]
const STRIDES = [3, 5, 7, 17, 19, 75, 305, 4001]

t.test('grids', async (t) => {
  for (const height of SIZES) {
    for (const width of SIZES) {
      for (const stride of STRIDES) {
        const steps = gridOf(height, width, stride)
        const sizes = [height, width]
        const counts = steps.map(
          (step, i) => Math.floor(((sizes[i] ?? 0) - firstOf(step)) / step) + 1,
        )
        t.ok(
          steps.every((step, i) => step === 1 || (counts[i] ?? 0) >= 3),
          'three at least along a side',
        )
        t.ok(
          steps.every((step) => step % 2 !== 0 && step % 3 !== 0),
          'no step shares a factor with what images are enlarged by',
        )
        t.ok(steps[0] * steps[1] <= 1.5 * stride, 'hardly fewer than asked for')
      }
    }
  }
})

t.test('fields are as square as the image allows', async (t) => {
  t.same(gridOf(112, 112, 305), [17, 17])
  t.same(gridOf(14, 14, 19), [5, 5])
  t.same(gridOf(1, 5000, 75), [1, 73])
  t.same(gridOf(7, 7, 4001), [1, 1])
})
