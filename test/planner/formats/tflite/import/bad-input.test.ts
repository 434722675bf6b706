import { create } from '@bufbuild/protobuf'
import t from 'tap'
import { writeOnnx } from '../../../../../planner/formats/onnx/index.ts'
import { newMessage, type OnnxModel } from '../../../../../planner/formats/onnx/model.ts'
import { messageType } from '../../../../../planner/formats/onnx/registry.ts'
import { DATA_TYPES } from '../../../../../planner/formats/onnx/schema.ts'
import { importOnnx } from '../../../../../planner/formats/tflite/import/index.ts'
import { int64s, smallOnnx } from '../../onnx/small-onnx.ts'

const relu = (name = 'x', dims: readonly (number | string)[] = [1, 4]) =>
  smallOnnx({ inputs: { [name]: dims }, outputs: ['y'], rows: [['Relu', [name], ['y']]] })

function changed(change: (model: OnnxModel) => void): OnnxModel {
  const model = relu()
  change(model)
  return model
}

const tensorType = (model: OnnxModel) => {
  const value = model.graph?.input[0]?.type?.value
  if (value?.case !== 'tensorType') throw new Error('the input is a tensor')
  return value.value
}

const ROWS: readonly (readonly [what: string, model: OnnxModel, says: RegExp])[] = [
  [
    'an operator of a foreign domain',
    changed((model) => {
      for (const node of model.graph?.node ?? []) node.domain = 'my.company'
      model.opsetImport.push(
        newMessage('OperatorSetIdProto', { domain: 'my.company', version: 1n }),
      )
    }),
    /my.company.Relu, an operator that does not come with ONNX Runtime/,
  ],
  [
    'an operator that no kernel computes',
    smallOnnx({ inputs: { x: [1, 4] }, outputs: ['y'], rows: [['Hardmax', ['x'], ['y']]] }),
    /Hardmax "[^"]+" \(no equivalent\)/,
  ],
  [
    'two operators in the way',
    smallOnnx({
      inputs: { x: [1, 4] },
      outputs: ['y', 'z'],
      rows: [
        ['Hardmax', ['x'], ['y']],
        ['NonZero', ['x'], ['z']],
      ],
    }),
    /Hardmax .*, NonZero /,
  ],
  [
    'a size that is computed',
    smallOnnx({
      inputs: { x: [4], at: [1] },
      outputs: ['y'],
      rows: [
        ['Cast', ['at'], ['n'], { to: ['int', 7] }],
        ['Expand', ['x', 'n'], ['y']],
      ],
    }),
    /Expand .* \(its shape is computed when the model runs\)/,
  ],
  [
    'an open size beside the batch',
    relu('x', [1, 'n']),
    /input "x" leaves sizes open \(\[1,n\]\).*give --shape "x=1,SIZE"/,
  ],
  [
    'a pad of billions',
    smallOnnx({
      inputs: { x: [1, 2, 8, 8] },
      outputs: ['y'],
      constants: { pads: int64s(0, 0, 0, 2030043137, 0, 0, 1, 0) },
      rows: [
        ['Pad', ['x', 'pads'], ['wide']],
        ['AveragePool', ['wide'], ['y'], { kernel_shape: ['ints', [3, 3]] }],
      ],
    }),
    /"wide" would be \[1,2,9,2030043145\], more than any device holds/,
  ],
  [
    'an output of billions',
    smallOnnx({
      inputs: { x: [1, 4] },
      outputs: ['y'],
      constants: { shape: int64s(99999999, 4) },
      rows: [['Expand', ['x', 'shape'], ['y']]],
    }),
    /"y" would be \[99999999,4\], more than any device holds/,
  ],
  ['an input without elements', relu('x', [1, 0]), /input "x" has no elements: dimension 1 is 0/],
  [
    'an input of unknown rank',
    changed((model) => void delete (tensorType(model) as { shape?: unknown }).shape),
    /rank of input "x" is not known/,
  ],
  [
    'an input of text',
    changed((model) => {
      tensorType(model).elemType = DATA_TYPES.string.code
    }),
    /input "x" takes string/,
  ],
  [
    'an input that is a sequence',
    changed((model) => {
      const type = model.graph?.input[0]?.type
      if (type) type.value = { case: 'sequenceType', value: create(messageType('SequenceType')) }
    }),
    /input "x" is a sequence/,
  ],
  [
    'an input that is an optional',
    changed((model) => {
      const type = model.graph?.input[0]?.type
      if (type) type.value = { case: 'optionalType', value: create(messageType('OptionalType')) }
    }),
    /input "x" is an optional/,
  ],
  [
    'a graph that trains',
    smallOnnx({
      inputs: { x: [2, 3, 4, 4] },
      outputs: ['y'],
      constants: { s: [3], b: [3], m: [3], v: [3] },
      rows: [
        [
          'BatchNormalization',
          ['x', 's', 'b', 'm', 'v'],
          ['y', 'mean', 'variance'],
          { training_mode: ['int', 1] },
        ],
      ],
    }),
    /BatchNormalization "[^"]+" \(it learns, as in training\)/,
  ],
  [
    'a constant of two gigabytes that the file does not hold',
    changed((model) => {
      const tensor = newMessage('TensorProto', { name: 'vast', dims: [536_870_912n], dataType: 1 })
      model.graph?.initializer.push(tensor)
    }),
    /"vast" .*(bytes|elements)/,
  ],
  [
    'a cycle',
    changed(
      (model) =>
        void (model.graph as NonNullable<OnnxModel['graph']>).node[0]?.input.splice(0, 1, 'y'),
    ),
    /"y" is used before anything defines it/,
  ],
  [
    'a value defined twice',
    changed(
      (model) =>
        void (model.graph as NonNullable<OnnxModel['graph']>).node[0]?.output.splice(0, 1, 'x'),
    ),
    /value "x" is defined twice/,
  ],
  [
    'an opset of the future',
    changed((model) => {
      const [standard] = model.opsetImport
      if (standard) standard.version = 99n
    }),
    /opset 99/,
  ],
  [
    'an opset of old',
    changed((model) => {
      const [standard] = model.opsetImport
      if (standard) standard.version = 5n
    }),
    /opset 5: export it with one from 7/,
  ],
  [
    'constants in a file that is not there',
    changed((model) => {
      const tensor = newMessage('TensorProto', {
        name: 'far',
        dims: [1n],
        dataType: 1,
        dataLocation: 1,
        externalData: [newMessage('StringStringEntryProto', { key: 'location', value: 'far.bin' })],
      })
      model.graph?.initializer.push(tensor)
    }),
    /keeps constants in another file/,
  ],
  [
    'an output that nothing changes',
    smallOnnx({
      inputs: { x: [1, 4] },
      outputs: ['y', 'z'],
      constants: { c: [1, 4] },
      rows: [
        ['Relu', ['x'], ['y']],
        ['Relu', ['c'], ['z']],
      ],
    }),
    /output "z" is the same whatever the inputs are/,
  ],
  [
    'integers beyond 32 bits',
    smallOnnx({
      inputs: { x: [2] },
      outputs: ['y'],
      constants: { far: int64s(2 ** 40, 7) },
      rows: [
        ['Cast', ['x'], ['n'], { to: ['int', 7] }],
        ['Div', ['n', 'far'], ['q']],
        ['Cast', ['q'], ['y'], { to: ['int', 1] }],
      ],
    }),
    /"far" holds numbers beyond 32 bits/,
  ],
]

t.test('what cannot be converted is refused in one line that names it', async (t) => {
  for (const [what, model, says] of ROWS) {
    const error = await importOnnx(writeOnnx(model), 'model.onnx').then(
      () => undefined,
      (reason: unknown) => reason as Error,
    )
    t.match(error?.message, says, what)
    t.notMatch(error?.message, /\n/, `${what}: one line`)
  }
})

t.test('names may be empty or odd', async (t) => {
  const model = smallOnnx({
    inputs: { 'a b/c:0': [1, 4] },
    outputs: ['0'],
    rows: [
      ['Relu', ['a b/c:0'], ['r']],
      ['Neg', ['r'], ['0']],
    ],
  })
  for (const node of model.graph?.node ?? []) node.name = ''
  const { model: made } = await importOnnx(writeOnnx(model), 'model.onnx')
  t.match(made.signatureDefs[0], { inputs: [{ name: 'a b/c:0' }], outputs: [{ name: '0' }] })
})
