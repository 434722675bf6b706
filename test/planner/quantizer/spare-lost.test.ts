import t from 'tap'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { noise } from './boxes-and-scores.ts'
import {
  buildTflite,
  type ConstantSpec,
  constant,
  type ModelSpec,
  type OperatorSpec,
} from './model-builder.ts'

const WIDTH = 16
const WIDE = 64
/** What the first layer finds at most, where all other numbers lie within 2. */
const PEAK = 300
/** Share of an input's range in which it finds something. */
const RARE = 0.006

/** Row by row, what stands in the columns that are not zero. */
function weights(
  rowOf: (row: number) => Readonly<Record<number, number>>,
  rows = WIDTH,
): ConstantSpec {
  const data = new Float32Array(rows * WIDTH)
  for (let row = 0; row < rows; row += 1)
    for (const [column, value] of Object.entries(rowOf(row)))
      data[row * WIDTH + Number(column)] = value
  return { ...constant([rows, WIDTH]), data }
}

function dense(
  input: string,
  weight: string,
  output: string,
  width: number,
  shift = 'shift',
): OperatorSpec {
  const rectified = input === 'x'
  return {
    code: 'FULLY_CONNECTED',
    inputs: rectified ? [input, weight, shift] : [input, weight],
    outputs: { [output]: [1, width] },
    options: {
      type: 'FullyConnectedOptions',
      weightsFormat: 'DEFAULT',
      fusedActivationFunction: rectified ? 'RELU' : 'NONE',
    },
  }
}

/**
 * Now and then the first layer finds something, and adds a large number to all channels; the third takes what they have in
 * common away again. Codes that reach so far leave nothing of the rest, which is all that the larger layers behind them see.
 */
const CANCELLING = {
  inputs: { x: [1, WIDTH] },
  constants: {
    found: weights((row) => ({ [row]: row === 0 ? PEAK / RARE : 1 })),
    shift: {
      ...constant([WIDTH]),
      data: Float32Array.from({ length: WIDTH }, (_, i) =>
        i === 0 ? (PEAK * (RARE - 1)) / RARE : 1,
      ),
    },
    added: weights((row) => ({ [row]: 1, 0: 1 })),
    apart: weights((row) => ({ [row]: 1, [(row + 1) % WIDTH]: -1 })),
    wide: constant([WIDE, WIDTH], -1, 1, 3),
    deep: constant([WIDE, WIDE], -1, 1, 4),
    last: constant([8, WIDE], -1, 1, 5),
  },
  operators: [
    dense('x', 'found', 'h', WIDTH),
    dense('h', 'added', 'sum', WIDTH),
    dense('sum', 'apart', 'z', WIDTH),
    dense('z', 'wide', 'a', WIDE),
    dense('a', 'deep', 'b', WIDE),
    dense('b', 'last', 'y', 8),
  ],
  outputs: ['y'],
}

const GATED_PEAK = 100
/** Where a gate is nearly level: codes before it seem to lose little there, and those behind it much. */
const LEVEL = -1.3

/** The same with a gate in the place of the first rectifier. */
const GATED: ModelSpec = {
  ...CANCELLING,
  constants: {
    ...CANCELLING.constants,
    found: weights((row) => ({ [row]: row === 0 ? GATED_PEAK / RARE : 1 })),
    shift: {
      ...constant([WIDTH]),
      data: Float32Array.from({ length: WIDTH }, (_, i) =>
        i === 0 ? (GATED_PEAK * (RARE - 1)) / RARE : LEVEL,
      ),
    },
  },
  operators: [
    {
      code: 'FULLY_CONNECTED',
      inputs: ['x', 'found', 'shift'],
      outputs: { raw: [1, WIDTH] },
      options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT' },
    },
    { code: 'LOGISTIC', inputs: ['raw'], outputs: { gate: [1, WIDTH] } },
    {
      code: 'MUL',
      inputs: ['raw', 'gate'],
      outputs: { h: [1, WIDTH] },
      options: { type: 'MulOptions', fusedActivationFunction: 'NONE' },
    },
    ...CANCELLING.operators.slice(1),
  ],
}

const BROAD = 256
/** Peaks that are coarse as well, less than the others. */
const LOWER = 60
const finds = (row: number) => row % WIDTH === 0

/** Beside it a large layer whose numbers are coarse as well, and which hardly matters to what comes out. */
const CROWDED = {
  ...CANCELLING,
  constants: {
    ...CANCELLING.constants,
    broad: weights((row) => ({ [row % WIDTH]: finds(row) ? LOWER / RARE : 1 }), BROAD),
    broadShift: {
      ...constant([BROAD]),
      data: Float32Array.from({ length: BROAD }, (_, row) =>
        finds(row) ? (LOWER * (RARE - 1)) / RARE : 1,
      ),
    },
    narrow: constant([8, BROAD], -0.002, 0.002, 6),
  },
  operators: [
    ...CANCELLING.operators.slice(0, -1),
    dense('b', 'last', 'main', 8),
    dense('x', 'broad', 'rare', BROAD, 'broadShift'),
    dense('rare', 'narrow', 'aside', 8),
    {
      code: 'ADD',
      inputs: ['main', 'aside'],
      outputs: { y: [1, 8] },
      options: { type: 'AddOptions', fusedActivationFunction: 'NONE' },
    },
  ],
}

function inEightBits(spec: ModelSpec) {
  return quantize({
    model: buildTflite(spec),
    target: 'litert',
    scheme: parseScheme('static-w8a8'),
    calibration: noise({ x: [1, WIDTH] }, { samples: 1000 }),
  })
}

t.test('a coarse layer that is too large for float keeps no smaller one from it', async (t) => {
  const { level, operators } = await inEightBits(CROWDED)
  t.ok((level?.outputs[0]?.sqnrDb ?? 0) > 30, `${level?.outputs[0]?.sqnrDb} dB`)
  t.ok(operators.integer > operators.float, 'the large layers stay on integers')
})

t.test('where coarse codes lose the outputs, who makes and reads them is in float', async (t) => {
  const { level, operators } = await inEightBits(CANCELLING)
  t.ok((level?.outputs[0]?.sqnrDb ?? 0) > 30, `${level?.outputs[0]?.sqnrDb} dB`)
  t.same(operators, { total: 6, integer: 3, float: 3 }, 'the larger layers stay on integers')
})

t.test(
  'who makes coarse numbers through a gate is in float with the product before it',
  async (t) => {
    const { level, operators } = await inEightBits(GATED)
    t.ok((level?.outputs[0]?.sqnrDb ?? 0) > 30, `${level?.outputs[0]?.sqnrDb} dB`)
    t.same(operators, { total: 8, integer: 3, float: 5 }, 'the larger layers stay on integers')
  },
)
