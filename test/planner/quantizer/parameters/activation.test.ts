import t from 'tap'
import { roundHalfAway } from '../../../../planner/graph/numbers/rounding.ts'
import {
  activationParameters,
  asUint8,
  includeZero,
  rangeOf,
} from '../../../../planner/quantizer/parameters/activation.ts'
import { numbers } from '../model-builder.ts'

t.test('ranges become scale and zero point as the 8-bit specification has it', async (t) => {
  const rows = [
    { range: { min: 0, max: 255 }, type: 'int8', scale: 1, zeroPoint: -128 },
    // −128 + 127.5 rounds half away from zero.
    { range: { min: -1, max: 1 }, type: 'int8', scale: 2 / 255, zeroPoint: -1 },
    { range: { min: 2, max: 6 }, type: 'int8', scale: 6 / 255, zeroPoint: -128 },
    { range: { min: -6, max: -2 }, type: 'int8', scale: 6 / 255, zeroPoint: 127 },
    { range: { min: 0, max: 0 }, type: 'int8', scale: 1 / 255, zeroPoint: -128 },
    { range: { min: -3, max: 1 }, type: 'uint8', scale: 4 / 255, zeroPoint: 191 },
    { range: { min: -2, max: 1 }, type: 'int16', scale: 2 / 32767, zeroPoint: 0 },
  ] as const
  for (const { range, type, scale, zeroPoint } of rows) {
    const parameters = activationParameters(range, type)
    t.same(parameters, { scales: [Math.fround(scale)], zeroPoints: [zeroPoint], axis: null })
  }
})

t.test('zero has an exact code in every range, and no scale is 0', async (t) => {
  const ends = numbers([400], -10, 10)
  for (let i = 0; i < ends.length; i += 2) {
    const [a, b] = [ends[i] as number, ends[i + 1] as number]
    const range = { min: Math.min(a, b), max: Math.max(a, b) }
    const [scale, zeroPoint] = firstOf(activationParameters(range, 'int8'))
    const zeroIsCode = Number.isInteger(zeroPoint) && zeroPoint >= -128 && zeroPoint <= 127
    if (!zeroIsCode || !(scale > 0)) t.fail(`range ${range.min}..${range.max}`)
    // Nothing in the range is cut off by more than half a step.
    const { min, max } = includeZero(range)
    const [low, high] = [(-128 - zeroPoint) * scale, (127 - zeroPoint) * scale]
    if (low > min + scale * 0.51 || high < max - scale * 0.51) t.fail(`ends of ${min}..${max}`)
  }
  t.ok(firstOf(activationParameters({ min: 0, max: 1e-40 }, 'int8'))[0] > 0)
})

t.test('halves round away from zero', async (t) => {
  t.same([0.5, -0.5, 1.5, -1.5, 2.4, -2.6].map(roundHalfAway), [1, -1, 2, -2, 2, -3])
})

t.test('uint8 codes are int8 codes moved by 128', async (t) => {
  t.same(asUint8({ scales: [0.5], zeroPoints: [-128], axis: null }).zeroPoints, [0])
})

t.test('sentinels stretch no range', async (t) => {
  t.same(rangeOf(Float32Array.of(Number.NEGATIVE_INFINITY, 1, -2, 3.4e38)), { min: -2, max: 1 })
  t.equal(rangeOf(Float32Array.of(Number.NEGATIVE_INFINITY, Number.NaN)), null)
})

function firstOf(parameters: { scales: readonly number[]; zeroPoints: readonly number[] }) {
  return [parameters.scales[0] as number, parameters.zeroPoints[0] as number] as const
}
