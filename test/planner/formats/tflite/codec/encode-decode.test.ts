import t from 'tap'
import { decodeTflite } from '../../../../../planner/formats/tflite/codec/read.ts'
import {
  type TableName,
  type Tree,
  tables,
} from '../../../../../planner/formats/tflite/codec/schema/schema.ts'
import { TfliteError, writeTflite } from '../../../../../planner/formats/tflite/index.ts'
import { randomOf } from '../random.ts'
import { operatorAt, smallModel, tensorAt } from '../small-model.ts'
import { isInModel, KitchenSink } from './kitchen-sink.ts'

const SEEDS = [1, 2, 3, 4, 5]

for (const seed of SEEDS) {
  t.test(`every table, field and union member survives write and read, seed ${seed}`, async (t) => {
    const model = new KitchenSink(randomOf(seed)).model()
    t.strictSame(decodeTflite(writeTflite(model), 'sink'), model)
  })
}

t.test('the kitchen sink covers the whole schema', async (t) => {
  const seen = new Set<string>()
  visit('Model', new KitchenSink(randomOf(1)).model() as unknown as Tree, (table, field) =>
    seen.add(`${table}.${field}`),
  )
  const missing = Object.values(tables).flatMap(({ name, fields }) =>
    fields
      .map((field) => `${name}.${field.name}`)
      .filter((path) => isInModel(name, path.split('.')[1] ?? '') && !seen.has(path)),
  )
  // The one enum with a single value has nothing but its default.
  t.strictSame(missing, [
    'Operator.customOptionsFormat',
    'StableHLOCompositeOptions.compositeAttributesFormat',
  ])
})

/** Calls `seen` for every field that holds something else than its default. */
function visit(name: TableName, tree: Tree, seen: (table: string, field: string) => void): void {
  for (const field of tables[name].fields) {
    const value = tree[field.name]
    if (value === null || value === undefined || value === field.default) continue
    seen(name, field.name)
    const { type } = field
    if (type.kind === 'table') {
      for (const each of [value].flat()) visit(type.table, each as Tree, seen)
    } else if (type.kind === 'union') {
      const union = value as Tree & { type: TableName }
      seen(type.union.name, union.type)
      visit(union.type, union, seen)
    }
  }
}

t.test('absent and empty, zero and minus zero stay apart', async (t) => {
  const model = smallModel()
  model.description = ''
  tensorAt(model, 0).name = null
  tensorAt(model, 0).shape = []
  operatorAt(model, 0).builtinOptions = { type: 'LeakyReluOptions', alpha: -0 }
  const read = decodeTflite(writeTflite(model), 'small')
  t.equal(read.description, '')
  t.equal(tensorAt(read, 0).name, null)
  t.strictSame(tensorAt(read, 0).shape, [])
  t.equal(tensorAt(read, 0).shapeSignature, null)
  t.ok(Object.is(operatorAt(read, 0).builtinOptions?.alpha, -0))
})

const UNWRITABLE = [
  ['a misspelt field', { quantisation: {} }, 'subgraphs[0].tensors[1]', 'no field "quantisation"'],
  ['a fraction', { buffer: 1.5 }, 'subgraphs[0].tensors[1].buffer', '1.5 does not fit'],
  ['a negative index', { buffer: -1 }, 'subgraphs[0].tensors[1].buffer', '-1 does not fit'],
  ['a huge dimension', { shape: [2 ** 31] }, 'subgraphs[0].tensors[1].shape[0]', 'does not fit'],
  ['a number as vector', { shape: 3 }, 'subgraphs[0].tensors[1].shape', '3 is no vector'],
  ['an unknown type', { type: 'INT5' }, 'subgraphs[0].tensors[1].type', 'INT5 is no TensorType'],
  ['a number as name', { name: 3 }, 'subgraphs[0].tensors[1].name', '3 is no string'],
  ['a string as table', { sparsity: 'x' }, 'subgraphs[0].tensors[1].sparsity', 'x is no Spars'],
] as const

for (const [name, change, place, reason] of UNWRITABLE) {
  t.test(`refuses to write ${name}`, async (t) => {
    const model = smallModel()
    Object.assign(tensorAt(model, 1), change)
    const error = t.throws(() => writeTflite(model), TfliteError) as TfliteError
    t.equal(error.code, 'unwritable')
    t.equal(error.details.place, place)
    t.match(error.message, reason)
  })
}

t.test('refuses options that are no member of their union', async (t) => {
  const model = smallModel()
  operatorAt(model, 0).builtinOptions = { type: 'DilateOptions' }
  t.throws(() => writeTflite(model), { message: /builtinOptions: DilateOptions is no member/ })
})
