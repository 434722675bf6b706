import t from 'tap'
import { loadInProcess } from '../../../shared/runtime/load-runtime.ts'
import { partTimesOf } from '../../../shared/runtime/part-times.ts'
import type { RuntimeName } from '../../../shared/runtime/runtime.ts'
import { tensor } from '../../../shared/tensors.ts'
import { modelBytes, modelPath } from '../../fixture-models.ts'
import { lacks, nativePath } from '../../native/runtimes.ts'
import { fitment } from '../../planner/cli/run-fitment.ts'

const X = tensor('float32', [1, 4], Float32Array.of(0.5, -1, 2, 0.25))

t.test('a part takes what it takes in the middlemost run', async (t) => {
  const run = (conv: number, relu: number) => [
    { by: 'cpu', kind: 'Conv', us: conv },
    { by: 'cpu', kind: 'Conv', us: 1 },
    { by: 'npu', kind: 'Relu', us: relu },
  ]
  const events = [...run(900, 5), ...run(9, 7), ...run(11, 6)]
  t.same(partTimesOf(events, 3), [
    { by: 'cpu', kind: 'Conv', count: 2, ms: 0.012 },
    { by: 'npu', kind: 'Relu', count: 1, ms: 0.006 },
  ])
})

// In child processes of their own: a native library is not loaded into a test.
const TOLD: readonly [
  RuntimeName,
  'tflite' | 'litert' | 'openvino' | null,
  string,
  RegExp | null,
][] = [
  ['tflite', 'litert', 'dense.tflite', /fully.?connected/i],
  ['openvino', 'openvino', 'dense.onnx', /FullyConnected|MatMul/],
  ['onnxruntime', null, 'dense.onnx', /Gemm|MatMul/],
  ['tflite', 'tflite', 'dense.tflite', null],
  ['litert', null, 'dense.tflite', null],
]

for (const [runtime, thing, model, kind] of TOLD) {
  const skip = thing !== null && lacks(thing)
  t.test(`bench --profile in ${thing ?? runtime}`, { skip }, async (t) => {
    const library = thing === null ? [] : ['--library', nativePath(thing)]
    const words = ['--runtime', runtime, ...library, '--seconds', '0.5', '--profile', '--json']
    const { code, out, err } = await fitment('bench', modelPath(model), ...words)
    if (kind === null) {
      t.match(err, /has no profiler: leave out --profile/)
      return
    }
    t.equal(code, 0, err)
    const { parts } = JSON.parse(out) as { parts: { kind: string; count: number; ms: number }[] }
    const found = parts.filter((part) => kind.test(part.kind))
    t.ok(found.length > 0, JSON.stringify(parts))
    t.ok(found.every(({ count, ms }) => count >= 1 && ms >= 0))
  })
}

t.test('nobody asks for it: nothing is profiled', async (t) => {
  const session = await (await loadInProcess('onnxruntime')).load(modelBytes('dense.onnx'))
  t.equal(session.profile, undefined)
  await session.run({ x: X })
  await session.close()
})
