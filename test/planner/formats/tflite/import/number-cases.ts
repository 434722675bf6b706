import { int64s, numbers } from '../../onnx/small-onnx.ts'
import { type OnnxCase, one } from './case.ts'

const IMAGE = [1, 4, 5, 6]

const unary = (...names: string[]) => names.map((name) => one(`${name} of images`, [IMAGE]))
const unaryIn = (domain: OnnxCase['domain'], ...names: string[]) =>
  names.map((name) =>
    one(`${name} where it is defined`, [IMAGE], {}, { domain } as Partial<OnnxCase>),
  )
const binary = (name: string, domain: OnnxCase['domain'] = 'signed') => [
  one(`${name} of images`, [IMAGE, IMAGE], {}, { domain } as Partial<OnnxCase>),
  one(`${name} with a number per channel`, [IMAGE], {}, {
    domain,
    extra: ['c'],
    constants: { c: [4, 1, 1] },
  } as Partial<OnnxCase>),
  one(`${name} of an image and a row`, [IMAGE, [6]], {}, { domain } as Partial<OnnxCase>),
]
const compared = (name: string): OnnxCase => ({
  title: `${name} of images`,
  inputs: { x: IMAGE, y: IMAGE },
  outputs: ['out'],
  rows: [
    [name, ['x', 'y'], ['flag']],
    ['Cast', ['flag'], ['out'], { to: ['int', 1] }],
  ],
})
const logical = (name: string): OnnxCase => ({
  title: `${name} of comparisons`,
  inputs: { x: IMAGE, y: IMAGE },
  outputs: ['out'],
  constants: { zero: numbers(0) },
  rows: [
    ['Less', ['x', 'zero'], ['a']],
    ['Greater', ['y', 'zero'], ['b']],
    [name, name === 'Not' ? ['a'] : ['a', 'b'], ['flag']],
    ['Cast', ['flag'], ['out'], { to: ['int', 1] }],
  ],
})

/** Operators that treat each element by itself. */
export const NUMBER_CASES: readonly OnnxCase[] = [
  ...unary(
    'Relu',
    'Sigmoid',
    'Tanh',
    'Softplus',
    'Softsign',
    'HardSwish',
    'Abs',
    'Neg',
    'Floor',
    'Ceil',
    'Round',
    'Sin',
    'Cos',
    'Exp',
    'Erf',
    'Identity',
    'Selu',
    'Sinh',
    'Cosh',
    'Sign',
    'Atan',
    'Asinh',
    'Dropout',
  ),
  one('Mish of images', [IMAGE], {}, { opset: 18 }),
  one('Gelu of images', [IMAGE], {}, { opset: 20 }),
  one('Gelu by a hyperbolic tangent', [IMAGE], { approximate: ['string', 'tanh'] }, { opset: 20 }),
  ...unaryIn('unit', 'Tan', 'Asin', 'Acos', 'Atanh'),
  ...unaryIn('positive', 'Log', 'Sqrt', 'Reciprocal'),
  ...unaryIn('above-one', 'Acosh'),
  one('LeakyRelu of images', [IMAGE], { alpha: ['float', 0.2] }),
  one('Elu of one', [IMAGE]),
  one('Elu of less', [IMAGE], { alpha: ['float', 0.4] }),
  one('Celu of two', [IMAGE], { alpha: ['float', 2] }),
  one('ThresholdedRelu of images', [IMAGE], { alpha: ['float', 0.5] }),
  one('Shrink of images', [IMAGE], { lambd: ['float', 0.7], bias: ['float', 0.2] }),
  one('HardSigmoid of images', [IMAGE], { alpha: ['float', 0.3] }),
  one('PRelu with a slope per channel', [IMAGE], {}, { extra: ['s'], constants: { s: [4, 1, 1] } }),
  one('PRelu with one slope', [IMAGE], {}, { extra: ['s'], constants: { s: numbers(0.3) } }),
  one('PRelu with computed slopes', [IMAGE, IMAGE]),
  one(
    'Clip as ReLU6',
    [IMAGE],
    {},
    { extra: ['low', 'high'], constants: { low: numbers(0), high: numbers(6) } },
  ),
  one(
    'Clip to any range',
    [IMAGE],
    {},
    { extra: ['low', 'high'], constants: { low: numbers(-0.5), high: numbers(0.7) } },
  ),
  one('Clip from below', [IMAGE], {}, { extra: ['low'], constants: { low: numbers(-0.5) } }),
  ...['Add', 'Sub', 'Mul', 'Max', 'Min'].flatMap((name) => binary(name)),
  ...binary('Div', 'positive'),
  ...binary('Pow', 'positive'),
  one('Pow by two', [IMAGE], {}, { extra: ['two'], constants: { two: numbers(2) } }),
  one('Mod of floats', [IMAGE, IMAGE], { fmod: ['int', 1] }, { domain: 'positive' }),
  one('Sum of three', [IMAGE, IMAGE, IMAGE]),
  one('Mean of three', [IMAGE, IMAGE, IMAGE]),
  one(
    'Add over six axes',
    [[2, 1, 3, 2, 2, 2]],
    {},
    { extra: ['c'], constants: { c: [3, 1, 1, 1] } },
  ),
  ...['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'].map(compared),
  ...['And', 'Or', 'Xor', 'Not'].map(logical),
  {
    title: 'Where of images',
    inputs: { x: IMAGE, y: IMAGE },
    outputs: ['out'],
    rows: [
      ['Less', ['x', 'y'], ['flag']],
      ['Where', ['flag', 'x', 'y'], ['out']],
    ],
  },
  {
    title: 'Cast to integers and back',
    inputs: { x: IMAGE },
    outputs: ['out'],
    rows: [
      ['Cast', ['x'], ['whole'], { to: ['int', 7] }],
      ['Cast', ['whole'], ['out'], { to: ['int', 1] }],
    ],
  },
  {
    title: 'IsNaN and IsInf',
    inputs: { x: IMAGE },
    outputs: ['nan', 'inf'],
    constants: { zero: numbers(0) },
    rows: [
      ['Floor', ['x'], ['whole']],
      ['Div', ['whole', 'whole'], ['odd']],
      ['IsNaN', ['odd'], ['a']],
      ['Cast', ['a'], ['nan'], { to: ['int', 1] }],
      ['Div', ['x', 'whole'], ['far']],
      ['IsInf', ['far'], ['b']],
      ['Cast', ['b'], ['inf'], { to: ['int', 1] }],
    ],
  },
  {
    title: 'com.microsoft.Gelu and QuickGelu',
    inputs: { x: IMAGE },
    outputs: ['a', 'b'],
    rows: [
      ['com.microsoft.Gelu', ['x'], ['a']],
      ['com.microsoft.QuickGelu', ['x'], ['b'], { alpha: ['float', 1.702] }],
    ],
  },
  {
    title: 'QuantizeLinear and DequantizeLinear around a convolution',
    inputs: { x: IMAGE },
    outputs: ['out'],
    constants: { w: [3, 4, 3, 3], s: numbers(0.02), z: numbers(0) },
    rows: [
      ['Cast', ['z'], ['zero'], { to: ['int', 3] }],
      ['QuantizeLinear', ['x', 's', 'zero'], ['codes']],
      ['DequantizeLinear', ['codes', 's', 'zero'], ['rounded']],
      ['Conv', ['rounded', 'w'], ['out']],
    ],
  },
  one(
    'CumSum backwards',
    [[3, 5]],
    { reverse: ['int', 1] },
    { extra: ['axis'], constants: { axis: int64s(1) } },
  ),
]
