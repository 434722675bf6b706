import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { convertModel } from '../../../../planner/formats/convert.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { readDataset, samplesFor } from '../../../../shared/dataset/index.ts'
import { onnxruntime } from '../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { type Candidate, compareFiles, FIGURE_COLUMNS } from '../figures.ts'
import { isSlower, type Latency, latencies } from '../latency.ts'
import { quantizeByOrt } from '../peers/onnxruntime.ts'
import { withoutPeer } from '../peers/python.ts'
import type { QualityRow, QualitySubject } from '../subject.ts'

const METHODS = ['MinMax', 'Percentile', 'Entropy'] as const

/** ic01 as .onnx: how near, and how fast, beside the best settings of onnxruntime.quantization. */
export const onnxImages: QualitySubject = {
  name: 'onnx-images',
  unavailable: () => (sharedData() === undefined ? WITHOUT_SHARED_DATA : undefined),
  run: async () => {
    const at = (name: string) => join(sharedData() ?? '', 'mlperf-tiny', name)
    const source = new Uint8Array(await readFile(at('ic01_float32.tflite')))
    const float = (await convertModel(source, 'tflite', 'onnx', 'ic01')).bytes
    const calibration = await readDataset(at('ic01_calibration.npz'))
    const test = await readDataset(at('ic01_test.npz'))
    const scheme = parseScheme('static-w8a8-u8s8')
    const ours = await quantize({ model: float, target: 'onnxruntime', scheme, calibration })
    const missing = await withoutPeer('onnxruntime')
    const peers: Candidate[] = []
    for (const method of missing === undefined ? METHODS : []) {
      const job = { kind: 'static', method, prepare: true, calibration } as const
      peers.push({
        who: `quantize_static ${method}`,
        bytes: (await quantizeByOrt(float, job)).bytes,
      })
    }
    const goals = { agreement: 0.97, sqnrDb: 24, accuracyDrop: 0.1 }
    const candidates = [...peers, { who: 'Fitment static-w8a8-u8s8', bytes: ours.bytes, goals }]
    const rows = await compareFiles({ model: 'ic01', format: 'onnx', float, test, candidates })
    const session = await onnxruntime.load(float)
    const inputs = samplesFor(test, session.inputs).at(0)
    await session.close()
    const times = await latencies([float, ...candidates.map(({ bytes }) => bytes)], inputs)
    return [
      {
        title: 'ic01 as .onnx in 8 bits: 300 calibration images, 1,000 unseen ones, one thread',
        columns: [...FIGURE_COLUMNS, 'P50', 'OF FLOAT32'],
        rows: withTimes(rows, times),
        notes: [
          'P50: in turns; slower means that the 95 % confidence intervals of the medians lie apart.',
          ...(missing === undefined ? [] : [missing]),
        ],
      },
    ]
  },
}

/** The last row is ours; those between the first and it are the peers'. */
function withTimes(rows: readonly QualityRow[], times: readonly Latency[]): QualityRow[] {
  const float = times[0]
  const ours = times.at(-1)
  const peers = times.slice(1, -1)
  return rows.map((row, i) => {
    const time = times[i]
    if (time === undefined || float === undefined || ours === undefined) return row
    const cells = [...row.cells, `${time.ms.toFixed(3)} ms`, `${(time.ms / float.ms).toFixed(2)}×`]
    if (row.promise === undefined) return { cells }
    const faster = ours.ms < float.ms && !peers.some((peer) => isSlower(ours, peer))
    const text = `${row.promise.text}, latency ≤ the best peer's and float32's`
    return { cells, promise: { text, kept: row.promise.kept && faster } }
  })
}
