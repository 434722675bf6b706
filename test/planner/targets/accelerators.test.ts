import { readFileSync } from 'node:fs'
import t from 'tap'
import { loadProfiles } from '../../../planner/classes/index.ts'
import { targetsOffered } from '../../../planner/conductor/devices/targets-offered.ts'
import { inspectTflite } from '../../../planner/formats/tflite/index.ts'
import { ACCELERATED_NAMES, leftOnCpu, TARGETS, targetOf } from '../../../planner/targets/index.ts'
import { takesFormat } from '../../../shared/runtime/index.ts'

for (const name of ACCELERATED_NAMES) {
  t.test(`${name} says what it takes, and where that is written`, async (t) => {
    const { accelerator, runtime, format, filesOf, runsHereIn } = targetOf(name)
    if (!accelerator) throw new Error('has no accelerator')
    t.ok(takesFormat(runtime, format), 'its files are files of its runtime')
    t.equal(TARGETS[runsHereIn].format, format, 'what answers for it here takes them')
    if (filesOf) t.equal(TARGETS[filesOf].kernels, targetOf(name).kernels, 'made for equal kernels')
    t.ok(accelerator.takes.source.length > 10 && accelerator.operators.source.length > 5)
    const { edges, numbers } = accelerator.takes
    t.equal(edges.includes('float32'), numbers !== 'integers', 'float edges where floats compute')
    if (accelerator.operators.known) {
      t.notOk(accelerator.operators.never.has('conv'), 'convolutions are what all of them are for')
      t.ok(accelerator.operators.never.has('control-flow'))
    }
  })
}

t.test('what of a model stays on the CPU', async (t) => {
  const model = readFileSync('planner/demo/motor-faults/model.tflite')
  const { operators } = inspectTflite(model, 'model.tflite')
  t.same(leftOnCpu(targetOf('ethos-u65-256'), operators), { total: 15, accelerator: 15, left: {} })
  t.match(leftOnCpu(targetOf('teflon'), operators), { left: { SOFTMAX: 1, MEAN: 1, MUL: 1 } })
  t.equal(leftOnCpu(targetOf('litert'), operators), null, 'no accelerator')
  t.equal(leftOnCpu(targetOf('qnn-htp'), operators), null, 'nobody published which')
  const odd = [
    { native: 'NEG', kind: 'other', count: 2 },
    { native: 'CAST', kind: 'other', count: 1 },
    { native: 'UNIDIRECTIONAL_SEQUENCE_LSTM', kind: 'recurrent', count: 1 },
    { native: 'QUANTIZE', kind: 'quantize', count: 1 },
    { native: 'DEQUANTIZE', kind: 'dequantize', count: 1 },
  ] as const
  t.same(leftOnCpu(targetOf('ethos-u55-128'), odd)?.left, {
    CAST: 1,
    // There are kernels for it in integers, and the quantizer has no rule for it.
    UNIDIRECTIONAL_SEQUENCE_LSTM: 1,
    DEQUANTIZE: 1,
  })
  t.same(leftOnCpu(targetOf('vx'), odd)?.left, { CAST: 1, UNIDIRECTIONAL_SEQUENCE_LSTM: 1 })
})

t.test('what a device reports becomes targets', async (t) => {
  const profiles = await loadProfiles()
  const imx93 = profiles.find(({ id }) => id === 'imx93')
  const tflite = (...names: string[]) => ({
    name: 'tflite',
    version: '2.18',
    delegates: names.map((name) => ({ name })),
  })
  t.same(targetsOffered([{ name: 'litert', version: '2.5' }, tflite()], undefined), [
    'litert',
    'tflite',
  ])
  t.same(targetsOffered([tflite('vx'), tflite('edgetpu')], undefined), ['vx', 'edgetpu'])
  t.same(targetsOffered([tflite('xnnpack')], undefined), ['tflite'], 'kernels for processors')
  t.same(targetsOffered([tflite('somebody'), tflite('else')], undefined), ['external'])
  t.same(targetsOffered([tflite('ethos-u')], imx93), ['ethos-u65-256'])
  t.same(targetsOffered([tflite('ethos-u')], undefined), [], 'of which configuration nobody knows')
  t.same(targetsOffered([{ name: 'tensorrt', version: '10' }], undefined), [])
  const openvino = (device: string) => ({ name: 'openvino', version: '2026.4', device })
  t.same(
    targetsOffered([openvino('CPU'), openvino('GPU.1'), openvino('NPU'), openvino('AUTO')], imx93),
    ['openvino', 'openvino-gpu', 'openvino-npu'],
  )
})
