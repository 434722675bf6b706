import type { Db } from './tables.ts'

export interface Database {
  readonly db: Db
  readonly kind: 'sqlite' | 'postgres'
  /** For messages: a file, or a server and database without the password. */
  readonly place: string
  /** Settles when this planner no longer holds the database alone: it must stop at once. */
  readonly lost: Promise<Error>
  close(): Promise<void>
}
