/**
 * A process that compares a quantized file with its source, which a crash of their runtime may end:
 *     judge-worker.js FLOAT QUANTIZED SAMPLES
 * It prints what `judge.ts` reads.
 */
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { readDataset } from '../../../shared/dataset/index.ts'
import { evaluate } from '../../../shared/measure/index.ts'
import { loadInProcess, type OnnxruntimeLoadOptions } from '../../../shared/runtime/index.ts'

const [float = '', quantized = '', samples = ''] = process.argv.slice(2)
const runtime = await loadInProcess(extname(float) === '.tflite' ? 'litert' : 'onnxruntime')
// What a host without VNNI cuts off is no fault of a file that is not made for it.
const options: OnnxruntimeLoadOptions = { wideSums: true }
const reference = await runtime.load(await readFile(float))
const session = await runtime.load(await readFile(quantized), options)
const data = await readDataset(samples, { labels: 'any' })
const record = await evaluate(session, data, { reference })
const { outputs, agreement, notFinite } = record
const told = outputs.map(({ name, sqnrDb }) => ({ name, sqnrDb }))
process.stdout.write(`${JSON.stringify({ outputs: told, agreement, notFinite })}\n`, () =>
  process.exit(0),
)
