import t from 'tap'
import { draftOf } from '../../../../planner/formats/tflite/draft.ts'
import { finishDraft } from '../../../../planner/formats/tflite/finish-draft.ts'
import { checkTflite, readTflite, writeTflite } from '../../../../planner/formats/tflite/index.ts'
import { WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { buildModel, constant } from '../../quantizer/model-builder.ts'
import { realModels } from './real-models.ts'

const spec = {
  inputs: { x: [1, 4] },
  constants: { a: constant([1, 4]), b: constant([1, 4]), unused: constant([1, 4], 5, 6) },
  operators: [
    { code: 'ADD', inputs: ['x', 'a'], outputs: { y: [1, 4] } },
    { code: 'ADD', inputs: ['y', 'b'], outputs: { z: [1, 4] } },
  ],
  outputs: ['z'],
  signature: 'serving_default',
} as const

t.test('what nothing points at is gone; codes and equal bytes are kept once', async (t) => {
  const model = finishDraft(draftOf(buildModel(spec)))
  const [subgraph] = model.subgraphs
  t.same(
    subgraph?.tensors.map(({ name }) => name),
    ['x', 'a', 'b', 'y', 'z'],
  )
  t.equal(model.operatorCodes.length, 1)
  t.equal(model.buffers.length, 2, 'the empty one, and one for the equal constants')
  t.same(model.signatureDefs[0]?.outputs, [{ name: 'z', tensorIndex: 4 }])
  t.same(checkTflite(model), [])
})

t.test('a draft is changed by reference, and its source stays as it was', async (t) => {
  const source = buildModel(spec)
  const before = writeTflite(source)
  const draft = draftOf(source)
  const [home] = draft.subgraphs
  const [first, second] = home?.operators ?? []
  if (!home || !first || !second) throw new Error('the spec has two operators')
  // x + b: the first ADD goes, and with it y and a.
  second.inputs[0] = home.inputs[0] ?? null
  home.operators = [second]
  const model = finishDraft(draft)
  t.same(
    model.subgraphs[0]?.tensors.map(({ name }) => name),
    ['x', 'b', 'z'],
  )
  t.same(model.subgraphs[0]?.operators[0]?.inputs, [0, 1])
  t.same(writeTflite(source), before)
})

const models = realModels()
t.test(
  'every real model survives being drafted',
  { skip: models.length === 0 && WITHOUT_SHARED_DATA },
  async (t) => {
    for (const { name, bytes } of models) {
      const source = readTflite(bytes, name)
      const model = readTflite(writeTflite(finishDraft(draftOf(source))), name)
      const shape = ({ subgraphs }: typeof source) =>
        subgraphs.map(({ operators, tensors, inputs, outputs }) => ({
          operators: operators.map((operator) => ({
            options: operator.builtinOptions,
            inputs: operator.inputs.map((i) => tensors[i]?.name ?? null),
            outputs: operator.outputs.map((i) => tensors[i]?.name ?? null),
          })),
          inputs: inputs.map((i) => tensors[i]?.name),
          outputs: outputs.map((i) => tensors[i]?.name),
        }))
      t.same(shape(model), shape(source), name)
      t.same(
        checkTflite(model).filter(({ severity }) => severity === 'error'),
        [],
      )
    }
  },
)
