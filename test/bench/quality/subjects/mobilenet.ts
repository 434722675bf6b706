import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readDataset } from '../../../../shared/dataset/index.ts'
import { contestOf } from '../contest.ts'
import { askPeer, SCRIPTS, withoutPeer } from '../peers/python.ts'
import type { QualitySubject, QualityTable } from '../subject.ts'

const SCRIPT = 'mobilenet.py'

/** A MobileNetV1 at a quarter of its width, trained here: long rows of depthwise layers, some channels silent. */
export const mobilenet: QualitySubject = {
  name: 'mobilenet',
  run: async () => {
    const folder = mobilenetFolder()
    const title = 'mobilenet (MobileNetV1-0.25, 96 × 96): 300 calibration images, 1,000 unseen ones'
    if (!existsSync(join(folder, 'float32.tflite'))) {
      const missing = await withoutPeer('tensorflow-cpu')
      if (missing !== undefined) return [absent(title, missing)]
      await askPeer(SCRIPT, { folder })
    }
    const contest = await contestOf({
      title,
      model: 'mobilenet',
      float: new Uint8Array(await readFile(join(folder, 'float32.tflite'))),
      calibration: await readDataset(join(folder, 'calibration.npz')),
      test: await readDataset(join(folder, 'test.npz')),
      scheme: 'static-w8a8-io8',
      goals: { agreement: 0.996 },
      others: [
        {
          who: "TFLite's converter",
          bytes: new Uint8Array(await readFile(join(folder, 'converter_int8.tflite'))),
        },
      ],
    })
    return [contest]
  },
}

/** Training takes minutes: it is done once for each state of the script. */
export function mobilenetFolder(): string {
  const digest = createHash('sha256')
    .update(readFileSync(join(SCRIPTS, SCRIPT)))
    .digest('hex')
  return join(tmpdir(), `fitment-bench-mobilenet-${digest.slice(0, 12)}`)
}

function absent(title: string, reason: string): QualityTable {
  return { title, columns: [], rows: [], notes: [reason] }
}
