import t from 'tap'
import { decode, encode } from '../../../../planner/graph/numbers/encode.ts'
import { FLOAT16, type Form, printForm } from '../../../../planner/graph/numbers/forms.ts'
import { weightParameters } from '../../../../planner/quantizer/parameters/weight.ts'
import { numbers } from '../../quantizer/model-builder.ts'

const affine = (scale: number, zeroPoint: number) => ({
  scales: [scale],
  zeroPoints: [zeroPoint],
  axis: null,
})

t.test('numbers become little-endian codes of the form', async (t) => {
  const rows: readonly { form: Form; values: readonly number[]; bytes: readonly number[] }[] = [
    {
      form: { type: 'int8', parameters: affine(0.5, 1) },
      values: [0, 1, -1, 999],
      bytes: [1, 3, 255, 127],
    },
    { form: { type: 'uint8', parameters: affine(1, 10) }, values: [-99, 5], bytes: [0, 15] },
    {
      form: { type: 'int16', parameters: affine(1, 0) },
      values: [258, -1],
      bytes: [2, 1, 255, 255],
    },
    {
      form: { type: 'int32', parameters: affine(1, 0) },
      values: [1e12],
      bytes: [255, 255, 255, 127],
    },
    {
      form: { type: 'int64', parameters: affine(1, 0) },
      values: [-2],
      bytes: [254, 255, 255, 255, 255, 255, 255, 255],
    },
    { form: { type: 'int4', parameters: affine(1, 0) }, values: [1, -1, 7], bytes: [0xf1, 0x07] },
    { form: FLOAT16, values: [1, 1e9, -1e9], bytes: [0x00, 0x3c, 0xff, 0x7b, 0xff, 0xfb] },
  ]
  for (const { form, values, bytes } of rows) {
    t.same([...encode(Float32Array.from(values), [values.length], form)], bytes, printForm(form))
  }
})

t.test('an infinite padding saturates', async (t) => {
  const form: Form = { type: 'int8', parameters: affine(0.1, 3) }
  const values = Float32Array.of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
  t.same([...encode(values, [2], form)], [128, 127])
})

t.test('what comes back is within half a step, channel by channel', async (t) => {
  const shape = [4, 9]
  const values = numbers(shape, -3, 3)
  const parameters = weightParameters(values, shape, 0)
  const back = decode(values, shape, { type: 'int8', parameters })
  values.forEach((value, i) => {
    const half = (parameters.scales[Math.floor(i / 9)] as number) / 2
    if (Math.abs(value - (back[i] as number)) > half * 1.0001) t.fail(`element ${i}`)
  })
})
