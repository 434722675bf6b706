import { OPERATIONS, type OperationName } from '../contract/contract.ts'
import { queryParameter } from '../contract/query-parameters.ts'
import { fieldsOf, type JsonSchema } from './schemas.ts'

/** JSON Schema of what a reading operation takes, each field as its query parameter says it. */
export function querySchemaOf(name: OperationName): JsonSchema {
  const { properties, required } = fieldsOf(name)
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(properties).map(([field, schema]) => [
        field,
        queryParameter(field).schema ?? schema,
      ]),
    ),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  }
}

/**
 * The operation's own input of such values.
 * @throws UsageError for a selector that is none
 * @throws z.ZodError
 */
export function readQueryInput(
  name: OperationName,
  values: Readonly<Record<string, unknown>>,
): object {
  const read = Object.entries(values).map(([field, value]) => [
    field,
    typeof value === 'string' ? queryParameter(field).read(value) : value,
  ])
  return OPERATIONS[name].input.strict().parse(Object.fromEntries(read))
}
