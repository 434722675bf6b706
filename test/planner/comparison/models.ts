import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ComparedFile } from '../../../planner/comparison/index.ts'
import { readTflite } from '../../../planner/formats/tflite/codec/read.ts'
import { writeTflite } from '../../../planner/formats/tflite/codec/write.ts'
import type { TflModel } from '../../../planner/formats/tflite/model.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { type Dataset, readDataset, takeSamples } from '../../../shared/dataset/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'

const DEMO = join(process.cwd(), 'planner', 'demo', 'motor-faults')

/** The demo's depthwise-separable CNN: 35k weights. */
export const floatFile: ComparedFile = {
  file: 'float.tflite',
  format: 'tflite',
  bytes: readFileSync(join(DEMO, 'model.tflite')),
}

export const demoModelPath: string = join(DEMO, 'model.tflite')
export const demoDataPath: string = join(DEMO, 'test.npz')

export async function demoData(samples: number): Promise<Dataset> {
  return takeSamples(await readDataset(demoDataPath), samples)
}

export async function quantized(scheme: string): Promise<ComparedFile> {
  const calibration = takeSamples(await readDataset(join(DEMO, 'calibration.npz')), 24)
  const { bytes } = await quantize({
    model: floatFile.bytes,
    target: 'litert',
    scheme: parseScheme(scheme),
    calibration,
    // Equalization gives channels other sizes on purpose: they would not be compared like with like.
    options: { recovery: ['bias-correction'] },
  })
  return { file: `${scheme}.tflite`, format: 'tflite', bytes }
}

/** The file after a change to its object tree. */
export function changed(source: ComparedFile, change: (model: TflModel) => void): ComparedFile {
  const model = readTflite(source.bytes)
  change(model)
  return { ...source, file: `changed-${source.file}`, bytes: writeTflite(model) }
}
