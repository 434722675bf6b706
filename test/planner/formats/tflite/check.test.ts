import t from 'tap'
import {
  checkTflite,
  readTflite,
  type TflModel,
  writeTflite,
} from '../../../../planner/formats/tflite/index.ts'
import { operatorAt, smallModel, tensorAt, tensorOf } from './small-model.ts'

type Damage = (model: TflModel) => void

const graph = (model: TflModel) => model.subgraphs[0] as TflModel['subgraphs'][number]
const operator = (model: TflModel) => operatorAt(model, 0)
const weights = (model: TflModel) => tensorAt(model, 1)
const scales = (scale: number[], zeroPoint: bigint[], quantizedDimension: number) => ({
  min: null,
  max: null,
  scale: Float32Array.from(scale),
  zeroPoint: BigInt64Array.from(zeroPoint),
  quantizedDimension,
  details: null,
})

const ERRORS: [name: string, code: string, where: string, damage: Damage][] = [
  [
    'another schema version',
    'schema-version',
    'version',
    (m) => {
      m.version = 7
    },
  ],
  [
    'no subgraph',
    'no-subgraph',
    'subgraphs',
    (m) => {
      Object.assign(m, { subgraphs: [], signatureDefs: [] })
    },
  ],
  [
    'an operator code that is not there',
    'operator-code',
    'subgraphs[0].operators[0].opcodeIndex',
    (m) => {
      operator(m).opcodeIndex = 1
    },
  ],
  [
    'a custom operator without a name',
    'custom-code',
    'operatorCodes[0]',
    (m) => {
      m.operatorCodes = [{ builtinCode: 'CUSTOM', customCode: null, version: 1 }]
    },
  ],
  [
    'an input beyond the tensors',
    'tensor-index',
    'subgraphs[0].operators[0].inputs',
    (m) => {
      operator(m).inputs = [0, 3]
    },
  ],
  [
    'an output left out',
    'tensor-index',
    'subgraphs[0].operators[0].outputs',
    (m) => {
      operator(m).outputs = [-1]
    },
  ],
  [
    'a graph input left out',
    'tensor-index',
    'subgraphs[0].inputs',
    (m) => {
      graph(m).inputs = [-1]
    },
  ],
  [
    'an intermediate below -1',
    'tensor-index',
    'subgraphs[0].operators[0].intermediates',
    (m) => {
      operator(m).intermediates = [-1, -2]
    },
  ],
  [
    'a buffer that is not there',
    'buffer-index',
    'subgraphs[0].tensors[1].buffer',
    (m) => {
      weights(m).buffer = 2
    },
  ],
  [
    'metadata without a buffer',
    'buffer-index',
    'metadata[0].buffer',
    (m) => {
      m.metadata = [{ name: 'm', buffer: 9 }]
    },
  ],
  [
    'a called subgraph that is not there',
    'subgraph-index',
    'subgraphs[0].operators[0].builtinOptions.bodySubgraphIndex',
    (m) => {
      operator(m).builtinOptions = {
        type: 'WhileOptions',
        condSubgraphIndex: 0,
        bodySubgraphIndex: 1,
      }
    },
  ],
  [
    'a branch that is not there',
    'subgraph-index',
    'subgraphs[0].operators[0].builtinOptions2.branchSubgraphIndices',
    (m) => {
      operator(m).builtinOptions2 = {
        type: 'StablehloCaseOptions',
        branchSubgraphIndices: [0, 5],
      }
    },
  ],
  [
    'a signature of no subgraph',
    'signature',
    'signatureDefs[0].subgraphIndex',
    (m) => {
      Object.assign(m.signatureDefs[0] ?? {}, { subgraphIndex: 4 })
    },
  ],
  [
    'a signature of no tensor',
    'signature',
    'signatureDefs[0] tensorIndex',
    (m) => {
      Object.assign(m.signatureDefs[0] ?? {}, { inputs: [{ name: 'x', tensorIndex: 4 }] })
    },
  ],
  [
    'a negative dimension',
    'shape',
    'subgraphs[0].tensors[1].shape',
    (m) => {
      weights(m).shape = [-1, 3]
    },
  ],
  [
    'a shape beyond all memory',
    'shape',
    'subgraphs[0].tensors[0].shape',
    (m) => {
      Object.assign(graph(m).tensors[0] ?? {}, { shape: [2 ** 30, 2 ** 30] })
    },
  ],
  [
    'a truncated constant',
    'constant-truncated',
    'subgraphs[0].tensors[1]',
    (m) => {
      weights(m).shape = [4, 1]
    },
  ],
  [
    'scales without zero points',
    'quantization',
    'subgraphs[0].tensors[1].quantization',
    (m) => {
      weights(m).quantization = scales([1], [], 0)
    },
  ],
  [
    'a quantized dimension of no tensor',
    'quantization',
    'subgraphs[0].tensors[1].quantization',
    (m) => {
      weights(m).quantization = scales([1], [0n], 2)
    },
  ],
  [
    'too few scales',
    'quantization',
    'subgraphs[0].tensors[1].quantization',
    (m) => {
      weights(m).quantization = scales([1, 1], [0n, 0n], 0)
    },
  ],
]

t.test('a sound model has no findings', async (t) => {
  t.strictSame(checkTflite(smallModel()), [])
})

for (const [name, code, where, damage] of ERRORS) {
  t.test(`${name}: found, and refused on reading`, async (t) => {
    const model = smallModel()
    damage(model)
    const [finding] = checkTflite(model)
    t.match(finding, { code: `tflite-${code}`, severity: 'error', where })
    t.throws(() => readTflite(writeTflite(model), 'damaged.tflite'), {
      code: 'corrupt',
      message: `damaged.tflite: ${where}: ${finding?.message.slice(where.length + 1)}: the file is damaged or was badly written`,
    })
  })
}

const WARNINGS: [name: string, code: string, damage: Damage][] = [
  [
    'a constant longer than its shape',
    'constant-too-long',
    (m) => {
      weights(m).shape = [2, 1]
    },
  ],
  [
    'data in the buffer that stands for none',
    'first-buffer',
    (m) => {
      m.buffers[0] = { data: Uint8Array.of(1) }
    },
  ],
  [
    'constants in another file',
    'external-weights',
    (m) => {
      weights(m).externalBuffer = 1
    },
  ],
]

for (const [name, code, damage] of WARNINGS) {
  t.test(`${name}: a warning, and readable`, async (t) => {
    const model = smallModel()
    damage(model)
    const findings = checkTflite(model)
    t.ok(
      findings.some(
        (finding) => finding.code === `tflite-${code}` && finding.severity === 'warning',
      ),
    )
    t.strictSame(readTflite(writeTflite(model)), model)
  })
}

t.test('a model that breaks a law everywhere gives ten findings of it', async (t) => {
  const model = smallModel()
  graph(model).tensors = Array.from({ length: 50 }, () => tensorOf('t', [1], 99))
  t.equal(checkTflite(model).length, 10)
})

t.test('packed and opaque element types count their bytes', async (t) => {
  const sizes = [
    ['INT4', 2],
    ['INT2', 1],
    ['INT8', 3],
    ['COMPLEX64', 24],
    ['STRING', 1],
  ] as const
  for (const [type, bytes] of sizes) {
    const model = smallModel()
    weights(model).type = type
    model.buffers[1] = { data: new Uint8Array(bytes) }
    t.strictSame(checkTflite(model), [], `${type} in ${bytes} bytes`)
  }
})

t.test('what a compiler made names memory to work in, which nothing fills', async (t) => {
  const model = smallModel()
  const { tensors } = graph(model)
  Object.assign(graph(model), { tensors: [...tensors, tensorOf('scratch', [1, 3], 0)] })
  const reads = operator(model)
  Object.assign(reads, { inputs: [...reads.inputs, tensors.length] })
  const refused = () => checkTflite(model).filter(({ message }) => /nothing makes/.test(message))
  t.equal(refused().length, 1, 'of a builtin operator the file is damaged')
  Object.assign(model.operatorCodes[0] ?? {}, { builtinCode: 'CUSTOM', customCode: 'ethos-u' })
  t.same(refused(), [])
})
