import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readDataset } from '../../../../shared/dataset/index.ts'
import { contestOf } from '../contest.ts'
import type { QualitySubject } from '../subject.ts'

const FOLDER = join('planner', 'demo', 'motor-faults')

/** The demo's depthwise network, which has silent channels. */
export const motorFaults: QualitySubject = {
  name: 'motor-faults',
  run: async () => {
    const contest = await contestOf({
      title:
        'motor-faults (the demo’s depthwise network): 240 calibration spectrograms, 720 unseen ones',
      model: 'motor-faults',
      float: new Uint8Array(await readFile(join(FOLDER, 'model.tflite'))),
      calibration: await readDataset(join(FOLDER, 'calibration.npz')),
      test: await readDataset(join(FOLDER, 'test.npz')),
      scheme: 'static-w8a8-io8',
      goals: { agreement: 0.996 },
    })
    return [contest]
  },
}
