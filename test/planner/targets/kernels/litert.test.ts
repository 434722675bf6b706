import t from 'tap'
import { readTflite } from '../../../../planner/formats/tflite/index.ts'
import { nativeOperator } from '../../../../planner/formats/tflite/native-operators.ts'
import { OPERATOR_KINDS } from '../../../../planner/graph/operator-kinds.ts'
import { LITERT_KERNELS } from '../../../../planner/targets/kernels/litert.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { outputSqnr } from '../../quantizer/compare.ts'
import { dataFor, kitchenSink } from '../../quantizer/kitchen-sink.ts'
import { buildTflite } from '../../quantizer/model-builder.ts'
import { ONE_OPERATOR_MODELS, type OneOperator } from '../../quantizer/one-operator-models.ts'

/** Truth values flip where two numbers are within a code of each other: no measure of error for them. */
const COMPARES = new Set(['EQUAL', 'NOT_EQUAL', 'GREATER', 'GREATER_EQUAL', 'LESS', 'LESS_EQUAL'])
const factsOf = ({ code }: OneOperator) => LITERT_KERNELS[nativeOperator(code).kind]

t.test('the one-operator models cover every kind with an integer form', async (t) => {
  const covered = new Set(ONE_OPERATOR_MODELS.map(({ code }) => nativeOperator(code).kind))
  const missing = OPERATOR_KINDS.filter(
    (kind) => LITERT_KERNELS[kind].integer !== null && !covered.has(kind),
  )
  t.same(missing, [])
})

const CASES = [
  { scheme: 'static-w8a8', leastDb: 36, models: ONE_OPERATOR_MODELS },
  {
    scheme: 'static-w8a16',
    leastDb: 47,
    models: ONE_OPERATOR_MODELS.filter((model) => factsOf(model).integer?.int16),
  },
] as const

for (const { scheme, leastDb, models } of CASES) {
  t.test(`${scheme}: every operator of the table runs on integers in LiteRT`, async (t) => {
    const model = buildTflite(kitchenSink(models))
    const data = dataFor(models, 12)
    const { bytes, operators, findings } = await quantize({
      model,
      target: 'litert',
      scheme: parseScheme(scheme),
      calibration: data,
    })
    t.same(operators, { total: models.length, integer: models.length, float: 0 })
    t.same(
      findings.filter(({ code }) => code !== 'larger-than-source'),
      [],
    )
    const errors = await outputSqnr(model, bytes, data)
    for (const { code, spec } of models) {
      if (COMPARES.has(code)) continue
      for (const output of spec.outputs) {
        const db = errors[`${code}.${output}`] ?? Number.NaN
        t.ok(db >= leastDb, `${code}.${output}: ${db.toFixed(1)} dB`)
      }
    }
  })
}

t.test('an operator without an int16 kernel stays float and says so', async (t) => {
  const models = ONE_OPERATOR_MODELS.filter(({ code }) => code === 'PRELU' || code === 'RELU')
  const { findings, operators } = await quantize({
    model: buildTflite(kitchenSink(models)),
    target: 'litert',
    scheme: parseScheme('static-w8a16'),
    calibration: dataFor(models, 4),
  })
  t.same(operators, { total: 2, integer: 1, float: 1 })
  t.match(findings, [
    { code: 'operator-left-float', message: /PRELU .* no kernel for int16 activations/ },
  ])
})

t.test('a model of nothing but unknown operators is refused', async (t) => {
  const model = buildTflite({
    inputs: { x: [1, 4] },
    operators: [{ code: 'SIN', inputs: ['x'], outputs: { y: [1, 4] } }],
    outputs: ['y'],
  })
  const data = dataFor(
    [{ code: 'SIN', data: [-1, 1], spec: { inputs: { x: [1, 4] }, operators: [], outputs: [] } }],
    2,
  )
  await t.rejects(
    quantize({ model, target: 'litert', scheme: parseScheme('static-w8a8'), calibration: data }),
    { code: 'nothing-to-quantize', message: /^static-w8a8 would change nothing .*SIN "y"/ },
  )
})

t.test('operator codes carry the versions of their new forms', async (t) => {
  const models = ONE_OPERATOR_MODELS.filter(({ code }) =>
    ['CONV_2D', 'FULLY_CONNECTED', 'TILE', 'ELU'].includes(code),
  )
  const { bytes } = await quantize({
    model: buildTflite(kitchenSink(models)),
    target: 'litert',
    scheme: parseScheme('static-w8a8-io8'),
    calibration: dataFor(models, 4),
  })
  const { operatorCodes, metadata, buffers } = readTflite(bytes)
  t.same(
    operatorCodes.map(({ builtinCode, version }) => `${builtinCode} ${version}`),
    ['CONV_2D 3', 'FULLY_CONNECTED 4', 'ELU 1', 'TILE 3'],
  )
  const note = buffers[metadata.find(({ name }) => name === 'min_runtime_version')?.buffer ?? 0]
  t.equal(new TextDecoder().decode(note?.data ?? undefined), '2.8.0'.padEnd(16, '\0'))
})
