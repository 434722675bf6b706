import { quantize } from '../../../../planner/quantizer/index.ts'
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
  ['dynamic-w8', 'dynamic', 'quantize_dynamic'],
  ['weight-w4-b32', 'blocks', 'MatMulNBitsQuantizer'],
] as const

/** Weights alone in fewer bits: ours and the peer's must be the same model but for rounding. */
export const onnxEncoder: QualitySubject = {
  name: 'onnx-encoder',
  run: async () => {
    const float = encoder()
    const x: Tensor = { type: 'float32', shape: [1, 64, 256], data: normalNumbers(64 * 256, 3) }
    const missing = await withoutPeer('onnxruntime')
    const expected = await answer(float, x)
    const rows: QualityRow[] = []
    for (const [scheme, kind, peer] of PAIRS) {
      const ours = await quantize({ model: float, format: 'onnx', scheme: parseScheme(scheme) })
      const our = decibels(expected, await answer(ours.bytes, x))
      if (missing !== undefined) {
        rows.push({ cells: [scheme, peer, '—', `${our.toFixed(1)} dB`, '—', '—'] })
        continue
      }
      const theirs = await quantizeByOrt(float, { kind })
      const their = decibels(expected, await answer(theirs.bytes, x))
      const [slow = 1, fast = 1] = await latencies([theirs.bytes, ours.bytes], { x })
      rows.push({
        cells: [
          scheme,
          peer,
          `${their.toFixed(1)} dB`,
          `${our.toFixed(1)} dB`,
          `${slow.toFixed(2)} → ${fast.toFixed(2)} ms`,
          `${(fast / slow).toFixed(2)}×`,
        ],
        promise: {
          text: `as near to float; latency ≤ ${SLOWER}×`,
          kept: our >= their - 0.1 && fast <= SLOWER * slow,
        },
      })
    }
    return [
      {
        title: 'a transformer encoder (2 layers of 256, generated weights), one thread',
        columns: ['SCHEME', 'PEER', 'ITS SQNR', 'OUR SQNR', 'LATENCY', 'RATIO'],
        rows,
        notes: missing === undefined ? [] : [missing],
      },
    ]
  },
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
