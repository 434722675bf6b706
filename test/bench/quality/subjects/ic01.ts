import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quantize } from '../../../../planner/quantizer/index.ts'
import { readDataset } from '../../../../shared/dataset/index.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { compareFiles, FIGURE_COLUMNS } from '../figures.ts'
import { quantizeByAeq } from '../peers/ai-edge-quantizer.ts'
import { withoutPeer } from '../peers/python.ts'
import type { QualitySubject } from '../subject.ts'

/** A ResNet-8 on images it never saw, beside the file that TensorFlow Lite's converter made of it. */
export const ic01: QualitySubject = {
  name: 'ic01',
  unavailable: () => (sharedData() === undefined ? WITHOUT_SHARED_DATA : undefined),
  run: async () => {
    const at = (name: string) => join(sharedData() ?? '', 'mlperf-tiny', name)
    const float = new Uint8Array(await readFile(at('ic01_float32.tflite')))
    const calibration = await readDataset(at('ic01_calibration.npz'))
    const scheme = parseScheme('static-w8a8-io8')
    const ours = await quantize({ model: float, format: 'tflite', scheme, calibration })
    const missing = await withoutPeer('ai-edge-quantizer')
    const peers =
      missing === undefined
        ? [{ who: 'ai-edge-quantizer', bytes: (await quantizeByAeq(float, calibration)).bytes }]
        : []
    const rows = await compareFiles({
      model: 'ic01',
      format: 'tflite',
      float,
      test: await readDataset(at('ic01_test.npz')),
      candidates: [
        { who: "TFLite's converter", bytes: await readFile(at('ic01_reference_int8.tflite')) },
        ...peers,
        {
          who: 'Fitment',
          bytes: ours.bytes,
          goals: { agreement: 0.97, sqnrDb: 24, accuracyDrop: 0.1 },
        },
      ],
    })
    const notes = missing === undefined ? [] : [missing]
    const title = 'ic01 (ResNet-8, CIFAR-10) in 8 bits: 300 calibration images, 1,000 unseen ones'
    return [{ title, columns: FIGURE_COLUMNS, rows, notes }]
  },
}
