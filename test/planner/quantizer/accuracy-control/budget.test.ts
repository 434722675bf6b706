import t from 'tap'
import {
  type AccuracyBudget,
  paretoFront,
  QuantizerError,
} from '../../../../planner/quantizer/index.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { type Dataset, toDataset } from '../../../../shared/dataset/index.ts'
import { builtInMetric, readMetric } from '../../../../shared/metrics/index.ts'
import { parseScheme, printScheme } from '../../../../shared/schemes.ts'
import type { Tensor } from '../../../../shared/tensors.ts'
import { realOutputs } from '../compare.ts'
import { buildTflite, constant, type ModelSpec, numbers } from '../model-builder.ts'

const WIDTH = 16
const CLASSES = 5

function dense(input: string, weight: string, bias: string, output: string, width: number) {
  return {
    code: 'FULLY_CONNECTED',
    inputs: [input, weight, bias],
    outputs: { [output]: [1, width] },
    options: {
      type: 'FullyConnectedOptions',
      weightsFormat: 'DEFAULT',
      fusedActivationFunction: output === 'y' ? 'NONE' : 'RELU',
    },
  }
}

/** Four layers; one channel of `c` is so large that the others get a few codes only. */
function network(): ModelSpec {
  const bias = (width: number, first = 0) => {
    const data = numbers([width], 0, 0.2, 8)
    data[0] = first
    return { shape: [width], data }
  }
  const last = numbers([CLASSES, WIDTH], -1, 1, 4).map((value, i) => (i % WIDTH === 0 ? 0 : value))
  return {
    inputs: { x: [1, WIDTH] },
    constants: {
      w1: constant([WIDTH, WIDTH], -1, 1, 1),
      b1: bias(WIDTH),
      w2: constant([WIDTH, WIDTH], -0.5, 0.5, 2),
      b2: bias(WIDTH),
      w3: constant([WIDTH, WIDTH], -0.5, 0.5, 3),
      b3: bias(WIDTH, 300),
      w4: { shape: [CLASSES, WIDTH], data: last },
      b4: bias(CLASSES),
    },
    operators: [
      dense('x', 'w1', 'b1', 'a', WIDTH),
      dense('a', 'w2', 'b2', 'b', WIDTH),
      dense('b', 'w3', 'b3', 'c', WIDTH),
      dense('c', 'w4', 'b4', 'y', CLASSES),
    ],
    outputs: ['y'],
  }
}

function dataOf(samples: number, seed: number, width = WIDTH): Dataset {
  const data = numbers([samples, width], -1, 1, seed)
  const x: Tensor = { type: 'float32', shape: [samples, width], data }
  return toDataset(new Map([['x', x]]), 'noise')
}

const model = buildTflite(network())

function quantized(
  budget: AccuracyBudget | undefined,
  source = model,
  calibration = dataOf(32, 1),
) {
  const options = { recovery: [], ranges: 'min-max', ...(budget && { budget }) } as const
  const scheme = parseScheme('static-w8a8')
  return quantize({ model: source, target: 'litert', scheme, calibration, options })
}

/** Labels that the float model gets right. */
async function labelled(test: Dataset): Promise<Dataset> {
  const y = (await realOutputs(model, test)).get('y') ?? []
  const labels = Int32Array.from({ length: test.samples }, (_, sample) => {
    const scores = y.slice(sample * CLASSES, (sample + 1) * CLASSES)
    return scores.indexOf(Math.max(...scores))
  })
  return { ...test, labels }
}

t.test('the operators that do the harm go back to float, and no more of them', async (t) => {
  const test = await labelled(dataOf(200, 2))
  const { scheme, budget, plan, findings } = await quantized({ maxDrop: 0.02, test })
  t.equal(printScheme(scheme), 'static-w8a8-mixed')
  t.match(budget?.metric, { text: 'top-1', direction: 'higher', unit: 'share' })
  t.equal(budget?.float, 1)
  t.equal(budget?.held, true)
  t.ok((budget?.steps[0]?.drop ?? 0) > 0.1, `all quantized loses ${budget?.steps[0]?.drop}`)
  t.ok((budget?.drop ?? 1) <= 0.02, `the mixture loses ${budget?.drop}`)
  t.same([...(budget?.inFloat ?? [])].sort(), ['c', 'y'])
  t.ok(plan.operators.integer >= 2, 'the rest stays on integers')
  const told = findings.filter(({ code }) => code === 'operator-left-float')
  t.equal(told.length, 2)
  for (const { message } of told)
    t.match(message, /the accuracy budget needs it: \d+\.\d % of the noise/)
  t.match(
    findings.at(-1)?.message,
    /of top-1 is lost on 200 samples \(.*, float32 100\.00 %\), 2\.0 % may be: with every/,
  )
})

t.test('without labels agreement is held, without test data on calibration samples', async (t) => {
  const { budget } = await quantized({ maxDrop: 0.1 })
  t.equal(budget?.metric.text, 'agreement')
  t.equal(budget?.samples, 32)
  t.equal(budget?.held, true)
})

t.test('a metric that is better when lower is held like any other', async (t) => {
  const metric = builtInMetric('mae')
  const free = await quantized({ maxDrop: Number.POSITIVE_INFINITY, metric })
  const all = free.budget?.steps[0]
  t.ok((all?.value ?? 0) > 0, `float differs from itself by nothing: ${all?.value}`)
  t.equal(free.budget?.drop, Number.POSITIVE_INFINITY, 'nothing is all that float loses')
  // Against labels float has an error of its own, of which a share may be lost.
  const samples = dataOf(64, 2)
  const y = (await realOutputs(model, samples)).get('y') ?? []
  const off = Float32Array.from(y, (value, i) => value + (i % 2 === 0 ? 0.02 : -0.02))
  const truth = new Map([['', { type: 'float32', shape: [64, CLASSES], data: off } as Tensor]])
  const test = { ...samples, truth }
  const { budget } = await quantized({ maxDrop: 0.1, metric, test })
  t.ok(Math.abs((budget?.float ?? 0) - 0.02) < 1e-4, `${budget?.float}`)
  t.ok((budget?.steps[0]?.drop ?? 0) > 0.1, `all quantized loses ${budget?.steps[0]?.drop}`)
  t.ok(budget?.held && budget.value <= 1.1 * budget.float, `${budget?.value}`)
})

t.test('a metric of the user’s own is held, and its failure is the answer', async (t) => {
  const dir = t.testdir({
    'gap.mjs': `export const direction = 'lower'
      export function score({ outputs, reference }) {
        const [[name, { values }]] = Object.entries(outputs)
        return 1 + Math.max(...values.map((value, i) => Math.abs(value - reference[name][i])))
      }`,
    'throws.mjs': `export const direction = 'lower'
      export function score() { throw new Error('out of luck') }`,
  })
  const own = await readMetric(`${dir}/gap.mjs`)
  const { budget } = await quantized({ maxDrop: 0.5, metric: own })
  t.equal(budget?.float, 1)
  t.ok(budget?.held && budget.value <= 1.5, `${budget?.value}`)
  const metric = await readMetric(`${dir}/throws.mjs`)
  await t.rejects(quantized({ maxDrop: 0.5, metric }), {
    code: 'script-failed',
    message: /out of luck/,
  })
})

t.test('an interrupted search gives the best so far', async (t) => {
  const test = await labelled(dataOf(200, 2))
  const controller = new AbortController()
  const request = {
    model,
    target: 'litert',
    scheme: parseScheme('static-w8a8'),
    calibration: dataOf(32, 1),
  } as const
  const stop = (_: number, __: number, what: string) => {
    if (what === 'measuring what each part does') controller.abort()
  }
  const { budget, bytes, findings } = await quantize({
    ...request,
    options: {
      recovery: [],
      ranges: 'min-max',
      budget: { maxDrop: 0, test, signal: controller.signal },
    },
    onProgress: stop,
  })
  t.ok(bytes.length > 0)
  t.match(budget, { interrupted: true, held: false })
  t.equal(budget?.steps.length, 1, 'nothing but the first file was measured')
  t.match(findings.find(({ code }) => code === 'budget-missed')?.message, /stopped before all/)
})

t.test('what a file must reach at all', async (t) => {
  const test = await labelled(dataOf(200, 2))
  const free = { maxDrop: Number.POSITIVE_INFINITY, test }
  const { findings, budget } = await quantized({ ...free, minimum: 0.999 })
  const told = findings.find(({ severity }) => severity === 'error')
  t.match(told, {
    code: 'metric-missed',
    message: /top-1 reaches \d+\.\d+ %, and 99\.90 % or more/,
  })
  t.equal(budget?.steps.length, 1, 'nothing was searched for')
  const reached = await quantized({ ...free, minimum: 0.5 })
  t.notOk(reached.findings.some(({ severity }) => severity === 'error'))
  t.ok(reached.findings.some(({ code }) => code === 'metric-reached'))
})

t.test('the front holds what nothing beats', async (t) => {
  const step = (drop: number, bytes: number, integerShare: number) => {
    return { inFloat: [], value: 1 - drop, drop, bytes, integerShare }
  }
  const steps = [
    step(0.5, 100, 1),
    step(0.6, 100, 0.9),
    step(0.1, 110, 0.8),
    step(0.1, 120, 0.8),
    step(0.1, 110, 0.8),
  ]
  const { budget } = await quantized({ maxDrop: 1 })
  t.ok(budget)
  if (budget) t.same(paretoFront({ ...budget, steps }), [steps[0], steps[2]])
})

t.test('a budget that holds anyway costs nothing', async (t) => {
  const { scheme, budget, findings } = await quantized({ maxDrop: 1 })
  t.equal(printScheme(scheme), 'static-w8a8')
  t.equal(budget?.steps.length, 1)
  t.ok(findings.some(({ code }) => code === 'budget-held'))
})

t.test('where nothing holds, the best mixture is the answer, with a warning', async (t) => {
  // One layer: all that could go back to float is the whole model.
  const [, , third, last] = network().operators
  const alone = buildTflite({
    ...network(),
    inputs: { c: [1, WIDTH] },
    operators: last && third ? [last] : [],
  })
  const calibration = dataOf(63, 3)
  const named = toDataset(new Map([['c', calibration.inputs.get('x') as Tensor]]), 'noise')
  // A largest sample that leaves the others few codes.
  const c = named.inputs.get('c')?.data as Float32Array
  c[1] = 60
  const { scheme, budget, findings, bytes } = await quantized({ maxDrop: 0 }, alone, named)
  t.equal(printScheme(scheme), 'static-w8a8')
  t.equal(budget?.held, false)
  t.ok((budget?.drop ?? 0) > 0)
  const missed = findings.find(({ code }) => code === 'budget-missed')
  t.equal(missed?.severity, 'warning')
  t.ok(bytes.length > 0)
})

t.test('a model that names no classes has no accuracy to hold', async (t) => {
  const image = buildTflite({
    inputs: { x: [1, 4, WIDTH] },
    constants: { w: constant([WIDTH, WIDTH]), b: constant([WIDTH]) },
    operators: [
      {
        code: 'FULLY_CONNECTED',
        inputs: ['x', 'w', 'b'],
        outputs: { y: [1, 4, WIDTH] },
        options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT', keepNumDims: true },
      },
    ],
    outputs: ['y'],
  })
  const data = numbers([8, 4, WIDTH])
  const x: Tensor = { type: 'float32', shape: [8, 4, WIDTH], data }
  const refused = quantized({ maxDrop: 0 }, image, toDataset(new Map([['x', x]]), 'noise'))
  await t.rejects(refused, QuantizerError)
  await t.rejects(refused, { code: 'budget-unmeasurable', message: /--metric/ })
})
