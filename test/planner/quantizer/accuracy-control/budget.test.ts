import t from 'tap'
import { type AccuracyBudget, QuantizerError } from '../../../../planner/quantizer/index.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { type Dataset, toDataset } from '../../../../shared/dataset/index.ts'
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
  t.equal(budget?.metric, 'accuracy')
  t.equal(budget?.held, true)
  t.ok((budget?.steps[0]?.drop ?? 0) > 0.1, `all quantized loses ${budget?.steps[0]?.drop}`)
  t.ok((budget?.drop ?? 1) <= 0.02, `the mixture loses ${budget?.drop}`)
  t.same([...(budget?.steps.at(-1)?.inFloat ?? [])].sort(), ['c', 'y'])
  t.ok(plan.operators.integer >= 2, 'the rest stays on integers')
  const told = findings.filter(({ code }) => code === 'operator-left-float')
  t.equal(told.length, 2)
  for (const { message } of told) t.match(message, /the accuracy budget needs it: \d+\.\d % of the/)
  t.match(findings.at(-1)?.message, /of accuracy is lost on 200 samples, 2\.0 % may be: with every/)
})

t.test('without labels agreement is held, without test data on calibration samples', async (t) => {
  const { budget } = await quantized({ maxDrop: 0.1 })
  t.equal(budget?.metric, 'agreement')
  t.equal(budget?.samples, 32)
  t.equal(budget?.held, true)
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
  const calibration = dataOf(64, 3)
  const named = toDataset(new Map([['c', calibration.inputs.get('x') as Tensor]]), 'noise')
  // A largest sample that leaves the others few codes.
  const c = named.inputs.get('c')?.data as Float32Array
  c[1] = 60
  const { scheme, budget, findings, bytes } = await quantized({ maxDrop: 0 }, alone, named)
  t.equal(printScheme(scheme), 'static-w8a8')
  t.equal(budget?.held, false)
  t.ok((budget?.drop ?? 0) > 0)
  t.equal(findings.at(-1)?.code, 'budget-missed')
  t.equal(findings.at(-1)?.severity, 'warning')
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
  await t.rejects(refused, { code: 'budget-unmeasurable' })
})
