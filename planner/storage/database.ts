import type { Db } from './tables.ts'

/** Short texts from one process that has the database open to all others that have: hints, never the truth. */
export interface Notifier {
  /** @param text at most 8000 bytes, with its end (PostgreSQL, NOTIFY) */
  send(text: string): Promise<void>
  /** Every text from now on, this process's own too. */
  listen(take: (text: string) => void): Promise<void>
}

export interface Database {
  readonly db: Db
  readonly kind: 'sqlite' | 'postgres'
  /** For messages: a file, or a server and database without the password. */
  readonly place: string
  /** Settles when this planner no longer holds the database: it must stop at once. */
  readonly lost: Promise<Error>
  /** Where several may have it open: how they speak with each other. */
  readonly notifier?: Notifier
  close(): Promise<void>
}
