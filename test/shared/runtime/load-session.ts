/** A process that loads the .onnx file it is given, runs nothing, and ends. */
import { readFileSync } from 'node:fs'
import { onnxruntime } from '../../../shared/runtime/onnxruntime/onnxruntime.ts'

const [, , file = ''] = process.argv
const session = await onnxruntime.load(readFileSync(file))
await session.close()
