/**
 * A process that does nothing else than to quantize ic01, with so many samples, so many times:
 *     quantize-worker.js SAMPLES TIMES
 * It prints what each time took, and the most memory that the process ever held.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { readDataset } from '../../../shared/dataset/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { sharedData } from '../../shared-data.ts'
import { repeated } from './models/repeated.ts'
import { peakBytes } from './peak.ts'
import type { Spent, WorkerReport } from './subjects/cost.ts'

const [samples, times] = process.argv.slice(2).map(Number)
const folder = join(sharedData() ?? '', 'mlperf-tiny')
const model = new Uint8Array(await readFile(join(folder, 'ic01_float32.tflite')))
const calibration = repeated(await readDataset(join(folder, 'ic01_calibration.npz')), samples ?? 0)
const runs: Spent[] = []
for (let i = 0; i < (times ?? 1); i += 1) {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await quantize({ model, target: 'litert', scheme: parseScheme('static-w8a8'), calibration })
  const { user, system } = process.cpuUsage(before)
  runs.push({
    seconds: (performance.now() - start) / 1e3,
    processorSeconds: (user + system) / 1e6,
  })
}
const report: WorkerReport = { runs, peakBytes: peakBytes() }
console.log(JSON.stringify(report))
