import t from 'tap'
import { type PlanInput, planVariants } from '../../../planner/variants/candidates.ts'
import type { ClassFacts, ModelFacts } from '../../../planner/variants/facts.ts'
import { newModel } from '../storage/sample.ts'

const model = newModel.facts
const target: ClassFacts = {
  id: 'rpi4',
  architecture: 'arm64',
  features: [],
  targets: ['litert'],
  oldestVersions: {},
  onnxForm: null,
  storageBytes: null,
  memoryBytes: null,
}

interface Row {
  name: string
  model?: Partial<ModelFacts>
  target?: Partial<ClassFacts>
  input?: Partial<Pick<PlanInput, 'hasCalibration' | 'maxBytes' | 'missingCompilers'>>
  /** Candidates of libraries and accelerators, which are judged where a device has them only. */
  besides?: number
  kept: string[]
  says?: Record<string, RegExp>
}

const onnx = { opset: 17, hybridElements: 94_000, integerElements: 94_000, blockElements: 0 }
const both = {
  targets: ['litert', 'onnxruntime'],
  oldestVersions: { onnxruntime: '1.30.0' },
} satisfies Partial<ClassFacts>
const ON_LITERT = ['float32', 'float16', 'dynamic-w8', 'static-w8a8']

const rows: Row[] = [
  {
    name: 'a float .tflite on a board without special kernels',
    kept: ['float32', 'float16', 'dynamic-w8', 'static-w8a8'],
    says: {
      'float32 onnxruntime': /no device of the class has onnxruntime/,
      'weight-w8 litert': /dynamic-w8 stores as much in int8/,
    },
  },
  {
    name: 'without calibration data no static scheme',
    input: { hasCalibration: false },
    kept: ['float32', 'float16', 'dynamic-w8'],
    says: { 'static-w8a8 litert': /add --calibration/ },
  },
  {
    name: 'storage too small for float32',
    target: { storageBytes: 300_000 },
    kept: ['float16', 'dynamic-w8', 'static-w8a8'],
    says: { 'float32 litert': /takes at least 390.6 KiB, 293.0 KiB of storage on the devices/ },
  },
  {
    name: 'the operator allows even less',
    target: { storageBytes: 300_000 },
    input: { maxBytes: 150_000 },
    kept: ['dynamic-w8', 'static-w8a8'],
    says: { 'float16 litert': /146.5 KiB allowed/ },
  },
  {
    name: 'memory so tight that only quarters fit',
    target: { memoryBytes: 190_000 },
    kept: ['dynamic-w8', 'static-w8a8'],
    says: { 'float32 litert': /of memory, the devices of the class leave 185.5 KiB/ },
  },
  {
    name: 'no operator has a hybrid kernel',
    model: { hybridElements: 0 },
    kept: ['float32', 'float16', 'static-w8a8', 'weight-w8'],
    says: { 'dynamic-w8 litert': /no operator of the model has a kernel/ },
  },
  {
    name: 'a source that is quantized already',
    model: { floatElements: 0, hybridElements: 0, quantizedElements: 95_000 },
    kept: ['float32', 'static-w8a8'],
    says: { 'float16 litert': /no float weights left/ },
  },
  {
    name: 'both runtimes: the source is measured in each',
    target: both,
    kept: [...ON_LITERT, 'float32', 'float16', 'dynamic-w8', 'static-w8a8-s8s8'],
    says: {
      'static-w8a8-u8s8 onnxruntime': /rpi4 computes best on -s8s8: .*as ARM has them/,
      'weight-w4-b32 onnxruntime': /less than half of the weights are of matrix products/,
    },
  },
  {
    name: 'x86 with VNNI',
    target: { ...both, architecture: 'x64', onnxForm: 'u8s8' },
    kept: [...ON_LITERT, 'float32', 'float16', 'dynamic-w8', 'static-w8a8-u8s8'],
    says: {
      'static-w8a8-u8s8-rr onnxruntime': /adds in 32 bits/,
      'static-w8a8-u8s8-mixed onnxruntime': /do not saturate on rpi4/,
      'dynamic-w8-rr onnxruntime': /do not saturate on rpi4/,
    },
  },
  {
    name: 'an x86 that nobody described may add in int16',
    target: { ...both, architecture: 'x64' },
    kept: [
      ...ON_LITERT,
      ...['float32', 'float16', 'dynamic-w8-rr', 'static-w8a8-u8s8-rr', 'static-w8a8-u8s8-mixed'],
    ],
    says: {
      'static-w8a8-u8s8 onnxruntime': /these weights cannot overflow/,
      'dynamic-w8 onnxruntime': /these weights cannot overflow/,
    },
  },
  {
    name: 'an .onnx source',
    model: { format: 'onnx' },
    target: both,
    kept: [...ON_LITERT, 'float32', 'float16', 'dynamic-w8', 'static-w8a8-s8s8'],
  },
  {
    name: 'an .onnx source that cannot become .tflite',
    model: { format: 'onnx', tflite: { obstacle: 'no equivalent for NonZero' } },
    target: both,
    kept: ['float32', 'float16', 'dynamic-w8', 'static-w8a8-s8s8'],
    says: { 'float32 litert': /no equivalent for NonZero/ },
  },
  {
    name: 'an .onnx source for an accelerator',
    model: { format: 'onnx' },
    target: { targets: ['ethos-u65-256'] },
    kept: ['static-w8a8-io8'],
    besides: 1,
  },
  {
    name: 'a source that cannot become .onnx',
    model: { onnx: { obstacle: 'no equivalent for RFFT2D' } },
    target: both,
    kept: ON_LITERT,
    says: { 'float16 onnxruntime': /no equivalent for RFFT2D/ },
  },
  {
    name: 'an opset too new for the ONNX Runtime of the class',
    model: { format: 'onnx', onnx: { ...onnx, opset: 21 } },
    target: { ...both, targets: ['onnxruntime'], oldestVersions: { onnxruntime: '1.17.3' } },
    kept: [],
    says: { 'float32 onnxruntime': /opset 21, and ONNX Runtime 1.17.3 .* loads 20 at most/ },
  },
  {
    name: 'a model of matrix products',
    model: { onnx: { ...onnx, blockElements: 90_000 } },
    target: both,
    kept: [...ON_LITERT, 'float32', 'float16', 'dynamic-w8', 'static-w8a8-s8s8', 'weight-w4-b32'],
  },
  {
    name: 'no device has a runtime',
    target: { targets: [] },
    kept: [],
    says: { 'float32 litert': /no device of the class has litert/ },
  },
  {
    name: 'an accelerator that takes nothing but integers',
    target: { targets: ['ethos-u65-256'] },
    kept: ['static-w8a8-io8'],
    besides: 1,
  },
  {
    name: 'its files need a compiler, and this host has none',
    target: { targets: ['ethos-u65-256'] },
    input: { missingCompilers: { vela: 'pip install ethos-u-vela' } },
    kept: [],
    besides: 1,
    says: {
      'static-w8a8-io8 ethos-u65-256':
        /takes files that vela makes, and this host has none: pip install ethos-u-vela/,
    },
  },
  {
    name: 'an accelerator whose drivers prefer unsigned edges',
    target: { targets: ['teflon'] },
    kept: ['static-w8a8-iou8'],
    besides: 1,
  },
  {
    name: 'a delegate that takes floats as well, beside the runtime without it',
    target: { targets: ['tflite', 'qnn-htp'] },
    kept: [...ON_LITERT, ...ON_LITERT],
    besides: 10,
  },
  {
    name: 'a device of OpenVINO takes what OpenVINO takes',
    model: { onnx },
    target: { targets: ['openvino-npu'] },
    kept: ['float32', 'float16', 'dynamic-w8', 'static-w8a8-s8s8'],
    besides: 8,
  },
]

for (const row of rows) {
  t.test(row.name, async (t) => {
    const plan = planVariants({
      model: { ...model, ...row.model },
      target: { ...target, ...row.target },
      hasCalibration: true,
      maxBytes: null,
      ...row.input,
    })
    const kept = [...plan.kept].sort((a, b) => a.runtime.localeCompare(b.runtime))
    t.same(
      kept.map((c) => c.scheme),
      row.kept,
    )
    t.equal(plan.kept.length + plan.dropped.length, 15 + (row.besides ?? 0), 'all have an answer')
    t.ok([...plan.kept, ...plan.dropped].every((c) => c.reason.length > 0))
    for (const [name, words] of Object.entries(row.says ?? {})) {
      t.match(plan.dropped.find((c) => `${c.scheme} ${c.runtime}` === name)?.reason, words)
    }
  })
}

t.test('candidates are held to the release of the oldest library of the class', async (t) => {
  const tunings = (version: string) => {
    const facts = {
      ...target,
      targets: ['litert', 'external'] as const,
      oldestVersions: { tflite: version },
    }
    const { kept } = planVariants({ model, hasCalibration: true, target: facts, maxBytes: null })
    return Object.fromEntries(
      kept.map(({ scheme, runtime, tuning }) => [`${scheme} ${runtime}`, tuning]),
    )
  }
  t.match(tunings('2.9.0'), {
    'static-w8a8 external': { release: '2.9.0' },
    'dynamic-w8 external': { release: '2.9.0' },
  })
  t.equal(tunings('2.9.0')['float32 external'], undefined, 'the source as given')
  t.equal(
    tunings('2.9.0')['static-w8a8 litert'],
    undefined,
    'what comes with this program is recent',
  )
  for (const recent of ['2.17.1', '2.3.0', 'sha256:0a1b2c3d4e5f'])
    t.equal(tunings(recent)['static-w8a8 external'], undefined, recent)
})
