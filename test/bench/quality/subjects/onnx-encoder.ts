import { quantize } from '../../../../planner/variants/quantizer.ts'
import { onnxruntime } from '../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import type { Tensor } from '../../../../shared/tensors.ts'
import { latencies } from '../latency.ts'
import { encoder } from '../models/encoder.ts'
import { quantizeByOrt } from '../peers/onnxruntime.ts'
import { withoutPeer } from '../peers/python.ts'
import { normalNumbers } from '../random.ts'
import type { QualityRow, QualitySubject } from '../subject.ts'

const SLOWER = 1.05
const PAIRS = [
  ['dynamic-w8', 'dynamic', 'quantize_dynamic', 8],
  ['weight-w4-b32', 'blocks', 'MatMulNBitsQuantizer', 4],
] as const
/** Rounding, done twice, may end on either side of a step. */
const STEPS = 1

/** Weights alone in fewer bits: ours and the peer's must be the same model but for rounding. */
export const onnxEncoder: QualitySubject = {
  name: 'onnx-encoder',
  run: async () => {
    const float = encoder()
    const x: Tensor = { type: 'float32', shape: [1, 64, 256], data: normalNumbers(64 * 256, 3) }
    const missing = await withoutPeer('onnxruntime')
    const expected = await answer(float, x)
    const rows: QualityRow[] = []
    for (const [scheme, kind, peer, bits] of PAIRS) {
      const ours = await quantize({
        model: float,
        target: 'onnxruntime',
        scheme: parseScheme(scheme),
      })
      const found = await answer(ours.bytes, x)
      const our = decibels(expected, found)
      if (missing !== undefined) {
        rows.push({ cells: [scheme, peer, '—', `${our.toFixed(1)} dB`, '—', '—', '—'] })
        continue
      }
      const theirs = await quantizeByOrt(float, { kind })
      const others = await answer(theirs.bytes, x)
      const their = decibels(expected, others)
      const apart = stepsApart(others, found, stepOf(expected, bits))
      const times = await latencies([theirs.bytes, ours.bytes], { x })
      const [slow = 1, fast = 1] = times.map(({ ms }) => ms)
      rows.push({
        cells: [
          scheme,
          peer,
          `${their.toFixed(1)} dB`,
          `${our.toFixed(1)} dB`,
          `${apart.most.toFixed(2)}, ${apart.mean.toFixed(3)}`,
          `${slow.toFixed(2)} → ${fast.toFixed(2)} ms`,
          `${(fast / slow).toFixed(2)}×`,
        ],
        promise: {
          text: `as near to float, outputs at most ${STEPS} step apart; latency ≤ ${SLOWER}×`,
          kept: our >= their - 0.1 && apart.most <= STEPS && fast <= SLOWER * slow,
        },
      })
    }
    return [
      {
        title: 'a transformer encoder (2 layers of 256, generated weights), one thread',
        columns: ['SCHEME', 'PEER', 'ITS SQNR', 'OUR SQNR', 'STEPS APART', 'LATENCY', 'RATIO'],
        rows,
        notes: missing === undefined ? [APART] : [missing],
      },
    ]
  },
}

const APART =
  'STEPS APART: the largest and the mean difference of an output of ours from the peer’s; a step is the range of the float outputs in as many levels as weights have'

/** One level of outputs that have as many bits as the weights. */
function stepOf(float: Float32Array, bits: number): number {
  const low = float.reduce((least, value) => Math.min(least, value), 0)
  const high = float.reduce((most, value) => Math.max(most, value), 0)
  return (high - low) / (2 ** bits - 1)
}

function stepsApart(a: Float32Array, b: Float32Array, step: number) {
  const steps = a.map((value, i) => Math.abs(value - (b[i] as number)) / step)
  const most = steps.reduce((largest, one) => Math.max(largest, one), 0)
  return { most, mean: steps.reduce((sum, one) => sum + one, 0) / steps.length }
}

async function answer(model: Uint8Array, x: Tensor): Promise<Float32Array> {
  const session = await onnxruntime.load(model, { threads: 1 })
  try {
    return (await session.run({ x })).y?.data as Float32Array
  } finally {
    await session.close()
  }
}

function decibels(expected: Float32Array, found: Float32Array): number {
  let [signal, noise] = [0, 0]
  expected.forEach((value, i) => {
    signal += value ** 2
    noise += (value - (found[i] as number)) ** 2
  })
  return 10 * Math.log10(signal / noise)
}
