/** A process that quantizes light_resnet50 with so many samples; prints seconds, and the most memory it ever held. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quantize } from '../../../planner/variants/quantizer.ts'
// Loaded before the clock starts, like what the peer imports.
import '../../../planner/formats/onnx/quantizable.ts'
import { readDataset } from '../../../shared/dataset/index.ts'
import { loadNative } from '../../../shared/runtime/onnxruntime/native.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { sharedData } from '../../shared-data.ts'
import { peakBytes } from './peak.ts'

await loadNative()
const [, , samples = ''] = process.argv
const started = performance.now()
await quantize({
  model: new Uint8Array(await readFile(join(sharedData() ?? '', 'onnx', 'light_resnet50.onnx'))),
  target: 'onnxruntime',
  scheme: parseScheme('static-w8a8-u8s8'),
  calibration: readDataset(samples),
})
const { userCPUTime, systemCPUTime } = process.resourceUsage()
console.log(
  JSON.stringify({
    seconds: (performance.now() - started) / 1e3,
    processorSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakBytes: peakBytes(),
  }),
)
