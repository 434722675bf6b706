import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  checkOnnx,
  OnnxError,
  readOnnx,
  writeOnnx,
} from '../../../../planner/formats/onnx/index.ts'
import { inspectOnnx } from '../../../../planner/formats/onnx/inspect.ts'
import { sharedData } from '../../../shared-data.ts'
import { smallOnnx } from './small-onnx.ts'

/** Larger models only make rounds slower. */
const MOST_BYTES = 6e6

/** What came of the bytes: `read`, the code of a refusal, or `!` and what must not be. */
export function outcomeOf(bytes: Uint8Array): string {
  try {
    const model = readOnnx(bytes, 'damaged.onnx')
    readOnnx(writeOnnx(model), 'rewritten.onnx')
    checkOnnx(model)
    inspectOnnx(bytes, 'damaged.onnx')
    return 'read'
  } catch (error) {
    if (!(error instanceof OnnxError)) return `! ${error instanceof Error ? error.stack : error}`
    return error.message.includes('\n') ? '! a message of several lines' : error.code
  }
}

export function wholeFiles(): { readonly name: string; readonly bytes: Uint8Array }[] {
  const small = smallOnnx({
    inputs: { x: [1, 3, 8, 8] },
    outputs: ['y'],
    constants: { w: [4, 3, 3, 3], b: [4] },
    rows: [
      ['Conv', ['x', 'w', 'b'], ['c'], { pads: ['ints', [1, 1, 1, 1]] }],
      ['Relu', ['c'], ['r']],
      ['GlobalAveragePool', ['r'], ['y']],
    ],
  })
  const root = sharedData()
  const folder = root && join(root, 'onnx')
  const real = folder
    ? readdirSync(folder).map((name) => ({
        name,
        bytes: new Uint8Array(readFileSync(join(folder, name))),
      }))
    : []
  return [
    { name: 'small.onnx', bytes: writeOnnx(small) },
    ...real.filter(({ bytes }) => bytes.length < MOST_BYTES),
  ]
}
