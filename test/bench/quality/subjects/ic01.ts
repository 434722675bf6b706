import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readDataset } from '../../../../shared/dataset/index.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { contestOf } from '../contest.ts'
import type { QualitySubject } from '../subject.ts'

/** A ResNet-8 on images it never saw, beside the file that TensorFlow Lite's converter made of it. */
export const ic01: QualitySubject = {
  name: 'ic01',
  unavailable: () => (sharedData() === undefined ? WITHOUT_SHARED_DATA : undefined),
  run: async () => {
    const at = (name: string) => join(sharedData() ?? '', 'mlperf-tiny', name)
    const converted = await readFile(at('ic01_reference_int8.tflite'))
    const contest = await contestOf({
      title: 'ic01 (ResNet-8, CIFAR-10) in 8 bits: 300 calibration images, 1,000 unseen ones',
      model: 'ic01',
      float: new Uint8Array(await readFile(at('ic01_float32.tflite'))),
      calibration: await readDataset(at('ic01_calibration.npz')),
      test: await readDataset(at('ic01_test.npz')),
      scheme: 'static-w8a8-io8',
      goals: { agreement: 0.97, sqnrDb: 24, accuracyDrop: 0.1 },
      others: [{ who: "TFLite's converter", bytes: converted }],
    })
    return [contest]
  },
}
