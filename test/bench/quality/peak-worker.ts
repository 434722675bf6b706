/** A process that quantizes ic01 with so many samples and prints the most memory it ever held, in bytes. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quantize } from '../../../planner/quantizer/index.ts'
import { readDataset } from '../../../shared/dataset/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { sharedData } from '../../shared-data.ts'
import { repeated } from './models/repeated.ts'

const folder = join(sharedData() ?? '', 'mlperf-tiny')
await quantize({
  model: new Uint8Array(await readFile(join(folder, 'ic01_float32.tflite'))),
  format: 'tflite',
  scheme: parseScheme('static-w8a8'),
  calibration: repeated(
    await readDataset(join(folder, 'ic01_calibration.npz')),
    Number(process.argv[2]),
  ),
})
console.log(process.resourceUsage().maxRSS * 1024)
