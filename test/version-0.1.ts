import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** What version 0.1 said and wrote. It is read for ever after, and never brought up to date: make.mjs there says how it was made. */
export const FOLDER = join(process.cwd(), 'test', 'fixtures', 'version-0.1')

export interface OldMessage {
  readonly name: string
  readonly from: 'agent' | 'planner'
  readonly topic: string
  readonly payload: Readonly<Record<string, unknown>>
}

export function oldMessages(): OldMessage[] {
  const folder = join(FOLDER, 'messages')
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.map((name) => ({
    name: name.replace('.json', ''),
    ...JSON.parse(readFileSync(join(folder, name), 'utf8')),
  }))
}

export function oldBlockFrame(): Buffer {
  return readFileSync(join(FOLDER, 'messages', 'block.bin'))
}

/** The planner's SQLite file. */
export function oldDatabase(): Buffer {
  return gunzipSync(readFileSync(join(FOLDER, 'fitment.db.gz')))
}
