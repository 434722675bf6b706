import t from 'tap'
import {
  checkTflite,
  readTflite,
  writeTflite,
} from '../../../../../planner/formats/tflite/index.ts'
import { WITHOUT_SHARED_DATA } from '../../../../shared-data.ts'
import { realModels } from '../real-models.ts'

const models = realModels()
const skip = models.length === 0 && WITHOUT_SHARED_DATA

t.test('real files lose nothing', { skip }, async (t) => {
  for (const { name, bytes } of models) {
    const model = readTflite(bytes, name)
    t.strictSame(readTflite(writeTflite(model)), model, name)
    t.strictSame(checkTflite(model), [], `${name} has no findings`)
  }
})
