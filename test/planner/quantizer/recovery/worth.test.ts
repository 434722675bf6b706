import t from 'tap'
import type { RecoveryMethod } from '../../../../planner/quantizer/index.ts'
import { RECOVERY_METHODS } from '../../../../planner/quantizer/recovery/recover.ts'
import { likelyDb } from '../../../../planner/quantizer/recovery/worth.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { toDataset } from '../../../../shared/dataset/index.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import type { Tensor } from '../../../../shared/tensors.ts'
import { buildTflite, numbers } from '../model-builder.ts'

const WIDTH = 16

/** Numbers that codes of eight bits hold exactly; what the first input is multiplied with is 0. */
function exact(seed: number): Float32Array {
  return numbers([WIDTH, WIDTH], -1, 1, seed).map((value, i) => {
    if (i % WIDTH === 0) return 0
    return i % WIDTH === 1 ? 1 : Math.round(value * 127) / 127
  })
}

function dense(input: string, weight: string, bias: string, output: string) {
  return {
    code: 'FULLY_CONNECTED',
    inputs: [input, weight, bias],
    outputs: { [output]: [1, WIDTH] },
    options: {
      type: 'FullyConnectedOptions',
      weightsFormat: 'DEFAULT',
      fusedActivationFunction: 'NONE',
    },
  }
}

const square = [WIDTH, WIDTH] as const
const none = { shape: [WIDTH], data: new Float32Array(WIDTH) }
const model = buildTflite({
  inputs: { x: [1, WIDTH] },
  constants: {
    v: { shape: [...square], data: exact(1) },
    w: { shape: [...square], data: exact(2) },
    u: { shape: [...square], data: exact(3) },
    b: none,
    c: none,
    d: none,
  },
  operators: [dense('x', 'v', 'b', 'a'), dense('a', 'w', 'c', 'e'), dense('e', 'u', 'd', 'y')],
  outputs: ['y'],
})

/** The first input is so large that the others get a few codes. */
function samples() {
  const data = numbers([80, WIDTH], -1, 1, 4).map((value, i) =>
    i % WIDTH === 0 ? 40 * value : value,
  )
  const x: Tensor = { type: 'float32', shape: [80, WIDTH], data }
  return toDataset(new Map([['x', x]]), 'noise')
}

async function methodsRun(recovery?: readonly RecoveryMethod[]): Promise<readonly string[]> {
  const result = await quantize({
    model,
    target: 'litert',
    scheme: parseScheme('static-w8a8'),
    calibration: samples(),
    options: { ranges: 'min-max', ...(recovery && { recovery }) },
  })
  const [step] = result.recovery
  t.ok((step?.sqnrDbBefore ?? 99) < 32, `there is noise: ${step?.sqnrDbBefore} dB`)
  return result.recovery.map(({ method }) => method)
}

t.test('where weights lose nothing their rounding is not tried, unless asked for', async (t) => {
  t.notOk((await methodsRun()).includes('rounding'))
  t.ok((await methodsRun(['rounding', 'bias-correction'])).includes('rounding'))
})

t.test(
  'rounding is worth its moments where weights make most of the noise, not half',
  async (t) => {
    const { leastDb } = RECOVERY_METHODS.rounding.worth
    t.equal(likelyDb(0), 0)
    t.ok(likelyDb(0.5) < leastDb, 'wake-embedding: a promise of half its noise came to 0.6 dB')
    t.ok(likelyDb(1) > leastDb, 'ic01: it came to 1.2 dB and more')
    t.equal(likelyDb(1.2), likelyDb(1), 'noise of weights that activations happen to cancel')
  },
)
