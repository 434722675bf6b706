import t from 'tap'
import { type PlanInput, planVariants } from '../../../planner/variants/candidates.ts'
import type { ClassFacts, ModelFacts } from '../../../planner/variants/facts.ts'
import { newModel } from '../storage/sample.ts'

const model = newModel.facts
const target: ClassFacts = {
  id: 'rpi4',
  architecture: 'arm64',
  features: [],
  runtimes: ['litert', 'onnxruntime'],
  storageBytes: null,
  memoryBytes: null,
}

interface Row {
  name: string
  model?: Partial<ModelFacts>
  target?: Partial<ClassFacts>
  input?: Partial<Pick<PlanInput, 'hasCalibration' | 'maxBytes'>>
  kept: string[]
  says?: Record<string, RegExp>
}

const rows: Row[] = [
  {
    name: 'a float .tflite on a board without special kernels',
    kept: ['float32', 'float16', 'dynamic-w8', 'static-w8a8'],
    says: {
      'float32 onnxruntime': /takes .onnx files: fleets do not import .tflite sources yet/,
      'static-w8a16 litert': /no kernels for 16-bit activations are known on rpi4/,
      'weight-w4-b32 litert': /no kernels for 4-bit weights/,
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
    kept: ['float32', 'float16', 'static-w8a8'],
    says: { 'dynamic-w8 litert': /no operator of the model has a kernel/ },
  },
  {
    name: 'a source that is quantized already',
    model: { floatElements: 0, hybridElements: 0, quantizedElements: 95_000 },
    kept: ['float32', 'static-w8a8'],
    says: { 'float16 litert': /no float weights left/ },
  },
  {
    name: 'an .onnx source',
    model: { format: 'onnx' },
    kept: ['float32', 'float16', 'dynamic-w8', 'static-w8a8'],
    says: { 'float32 litert': /do not import .onnx sources/ },
  },
  {
    name: 'no device has a runtime',
    target: { runtimes: [] },
    kept: [],
    says: { 'float32 litert': /no device of the class has litert/ },
  },
  {
    name: 'a board family with the kernels gets the special schemes',
    target: { features: ['int16-activations', 'int4-weights'] },
    kept: ['float32', 'float16', 'dynamic-w8', 'static-w8a8', 'static-w8a16', 'weight-w4-b32'],
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
    t.same(
      plan.kept.map((c) => c.scheme),
      row.kept,
    )
    t.equal(plan.kept.length + plan.dropped.length, 11, 'every candidate has an answer')
    t.ok([...plan.kept, ...plan.dropped].every((c) => c.reason.length > 0))
    for (const [name, words] of Object.entries(row.says ?? {})) {
      t.match(plan.dropped.find((c) => `${c.scheme} ${c.runtime}` === name)?.reason, words)
    }
  })
}
