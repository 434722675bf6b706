import t from 'tap'
import {
  type TableName,
  type TableValue,
  tables,
} from '../../../../planner/formats/tflite/codec/schema/schema.ts'
import type {
  TflMetadata,
  TflModel,
  TflOperator,
  TflQuantization,
  TflSignatureDef,
  TflSubgraph,
  TflTensor,
} from '../../../../planner/formats/tflite/index.ts'
import { operatorAt, smallModel, tensorAt } from './small-model.ts'

/** Does not compile where the written types of model.ts stray from the rows of the schema. */
export const TYPES_AGREE: [
  (table: TableValue<'Model'>) => Omit<TflModel, 'attachment'>,
  (table: TableValue<'SubGraph'>) => TflSubgraph,
  (table: TableValue<'Tensor'>) => Required<TflTensor>,
  (table: TableValue<'Operator'>) => Omit<TflOperator, 'customOptionsOutside'>,
  (table: TableValue<'QuantizationParameters'>) => Required<TflQuantization>,
  (table: TableValue<'Metadata'>) => Required<TflMetadata>,
  (table: TableValue<'SignatureDef'>) => Required<TflSignatureDef>,
] = [
  (table) => table,
  (table) => table,
  (table) => table,
  (table) => table,
  (table) => table,
  (table) => table,
  (table) => table,
]

const STORED_ELSEWHERE = new Set(['largeCustomOptionsOffset', 'largeCustomOptionsSize'])

function fieldsOf(table: TableName): string[] {
  return [...tables[table].fieldNames].filter((name) => !STORED_ELSEWHERE.has(name)).sort()
}

t.test('a model that was read has every field of the schema', async (t) => {
  const model = smallModel()
  t.strictSame(Object.keys(model).sort(), fieldsOf('Model'))
  t.strictSame(Object.keys(model.subgraphs[0] ?? {}).sort(), fieldsOf('SubGraph'))
  t.strictSame(Object.keys(tensorAt(model, 1)).sort(), fieldsOf('Tensor'))
  t.strictSame(Object.keys(operatorAt(model, 0)).sort(), fieldsOf('Operator'))
  t.strictSame(Object.keys(model.signatureDefs[0] ?? {}).sort(), fieldsOf('SignatureDef'))
})
