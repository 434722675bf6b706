import { join } from 'node:path'
import { formatNpz, readDataset, takeSamples, toArrays } from '../../../shared/dataset/index.ts'

const FOLDER = join(process.cwd(), 'planner', 'demo', 'motor-faults')

/** The demo's float model: a real network, 150 KB. */
export const SMALL_MODEL = join(FOLDER, 'model.tflite')

/** So few of the demo's samples that planning takes seconds; labelled. */
export async function fewSamples(of: 'calibration' | 'test', count: number): Promise<Uint8Array> {
  const dataset = await readDataset(join(FOLDER, `${of}.npz`))
  return formatNpz(toArrays(takeSamples(dataset, count)))
}
