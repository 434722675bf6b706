import type { Generated } from 'kysely'

/**
 * Column types that SQLite and PostgreSQL hold alike. `time` is ISO 8601 text in UTC, `flag` 0 or 1, `json` text that
 * the subject's file parses, `seq` a number the database hands out in order of insertion.
 */
export interface ColumnValues {
  text: string
  'text?': string | null
  int: number
  'int?': number | null
  flag: number
  time: string
  'time?': string | null
  json: string
  'json?': string | null
  seq: Generated<number>
}
export type ColumnType = keyof ColumnValues

export interface TableDefinition {
  readonly columns: Readonly<Record<string, ColumnType>>
  /** Primary key; absent where a `seq` column is the key. */
  readonly key?: readonly string[]
  readonly unique?: readonly (readonly string[])[]
  readonly indexes?: readonly (readonly string[])[]
}

export type RowsOf<Definitions extends Record<string, TableDefinition>> = {
  [Table in keyof Definitions]: {
    [Column in keyof Definitions[Table]['columns']]: ColumnValues[Definitions[Table]['columns'][Column]]
  }
}
