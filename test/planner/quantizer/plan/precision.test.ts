import t from 'tap'
import { BOXES_AND_SCORES } from '../boxes-and-scores.ts'
import { constant, dense, type ModelSpec, type OperatorSpec } from '../model-builder.ts'
import { planned } from './planned.ts'

const op = (code: string, inputs: readonly string[], output: string): OperatorSpec => ({
  code,
  inputs,
  outputs: { [output]: [1, 4] },
})
/** Between two products, so that nothing is a head. */
const between = (operators: readonly OperatorSpec[], more: ModelSpec['constants'] = {}) => ({
  inputs: { x: [1, 4] },
  constants: { v: constant([4, 4]), w: constant([4, 4]), ...more },
  operators: [dense('x', 'v', 'a', 4), ...operators, dense('z', 'w', 'y', 4)],
  outputs: ['y'],
})

/** Operators in float, by the last words of the reason. */
function inFloat(
  model: ModelSpec,
  ranges: Readonly<Record<string, readonly [number, number]>>,
  scheme = 'static-w8a8',
): Record<string, string> {
  const { plan } = planned({ model, scheme, ranges: { x: [-1, 1], y: [-1, 1], ...ranges } })
  return Object.fromEntries(
    plan.findings.map(({ where = '', message }) => [where, message.split(': ')[1] ?? '']),
  )
}

t.test('scores beside boxes are merged in float, unless codes are asked for', async (t) => {
  const ranges = { boxes: [-300, 300], logits: [-3, 3], scores: [0, 1], y: [-300, 300] } as const
  t.match(inFloat(BOXES_AND_SCORES, ranges), { y: /small numbers beside/ })
  t.same(inFloat(BOXES_AND_SCORES, { ...ranges, boxes: [0, 5], y: [0, 5] }), {}, 'of like size')
  t.same(inFloat(BOXES_AND_SCORES, ranges, 'static-w8a8-io8'), {})
})

t.test('what ends the model is float where the edges are, and it is little', async (t) => {
  const model: ModelSpec = {
    inputs: { x: [1, 64] },
    constants: { w: constant([4, 64]) },
    operators: [dense('x', 'w', 'a', 4), op('SOFTMAX', ['a'], 'y')],
    outputs: ['y'],
  }
  const ranges = { a: [-4, 4], y: [0, 1] } as const
  t.match(inFloat(model, ranges), { y: /ends with it/ })
  t.same(inFloat(model, ranges, 'static-w8a8-io8'), {})
})

t.test('a mask before a softmax is added in float, and nothing before it', async (t) => {
  const model = between(
    [op('MUL', ['a', 'half'], 'b'), op('ADD', ['b', 'mask'], 'c'), op('SOFTMAX', ['c'], 'z')],
    { half: constant([1, 4]), mask: { shape: [1, 4], data: Float32Array.of(0, -1e9, -1e9, 0) } },
  )
  const ranges = { a: [-4, 4], b: [-4, 4], z: [0, 1] } as const
  const masked = inFloat(model, { ...ranges, c: [-1e9, 4] })
  t.match(masked, { c: /masks/, z: /masks/ })
  t.same(Object.keys(masked), ['c', 'z'])
  t.same(inFloat(model, { ...ranges, c: [-8, 4] }), {}, 'logits of a usual range')
})

t.test('squares under a root are summed in float where they come near zero', async (t) => {
  const model = between(
    [
      op('MUL', ['a', 'a'], 's'),
      op('MEAN', ['s', 'axes'], 'm'),
      op('RSQRT', ['m'], 'r'),
      op('MUL', ['a', 'r'], 'z'),
    ],
    { axes: { shape: [1], data: Int32Array.of(1) } },
  )
  const ranges = { a: [-4, 4], s: [0, 16], r: [0, 30], z: [-2, 2] } as const
  const near = inFloat(model, { ...ranges, m: [0.001, 9] })
  t.same(Object.keys(near), ['s', 'm', 'r', 'z'])
  t.match(near, { r: /near zero/ })
  t.same(inFloat(model, { ...ranges, m: [3, 9] }), {}, 'far from zero')
  t.same(
    Object.keys(inFloat(model, { ...ranges, m: [0.01, 9] }, 'static-w8a16')),
    [],
    'finer codes',
  )
})

t.test('angles over many turns are multiplied in float', async (t) => {
  const model = between(
    [op('MUL', ['a', 'f'], 'b'), op('SIN', ['b'], 'c'), op('ADD', ['c', 'a'], 'z')],
    { f: constant([1, 4]) },
  )
  const ranges = { a: [-1, 1], c: [-1, 1], z: [-2, 2] } as const
  t.match(inFloat(model, { ...ranges, b: [0, 100] }), { b: /turns/ })
  t.notOk('b' in inFloat(model, { ...ranges, b: [-1, 1] }), 'less than half a turn')
})

/** A wide layer, and a head of two logits behind it, through what may follow. */
function headed(after: readonly OperatorSpec[], last: string, outputs = 2): ModelSpec {
  const wide: OperatorSpec = { ...dense('x', 'v', 'a', 4), outputs: { a: [1, 128] } }
  return {
    inputs: { x: [1, 128] },
    constants: { v: constant([128, 128]), w: constant([outputs, 128]) },
    operators: [wide, { ...dense('a', 'w', 'l', 4), outputs: { l: [1, outputs] } }, ...after],
    outputs: [last],
  }
}

t.test(
  'a small head of numbers far beyond what decides is float, with all behind it',
  async (t) => {
    const sigmoid: OperatorSpec = { code: 'LOGISTIC', inputs: ['l'], outputs: { y: [1, 2] } }
    const ranges = { a: [0, 9], y: [0, 1] } as const
    const wide = inFloat(headed([sigmoid], 'y'), { ...ranges, l: [-312, 2] })
    t.same(Object.keys(wide), ['l', 'y'])
    t.match(wide, { l: /so far apart/, y: /so far apart/ })
    t.notOk('l' in inFloat(headed([sigmoid], 'y'), { ...ranges, l: [-20, 20] }), 'usual logits')
    t.same(inFloat(headed([], 'l'), { a: [0, 9], l: [-312, 2] }, 'static-w8a8-io8'), {}, 'codes')
    const large = inFloat(headed([], 'l', 64), { a: [0, 9], l: [-312, 2] })
    t.notOk('l' in large, 'a third of all weights')
  },
)
