import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'libsql'
import { z } from 'zod'
import type { Tally } from './tally.ts'
import type { Witness } from './witness.ts'

const bodySchema = z.object({ body: z.string() })
const reportSchema = z.object({
  kind: z.string(),
  state: z.string().optional(),
  variant: z.string().nullish(),
})
const FINAL = new Set(['active', 'rolled-back', 'refused', 'failed'])

/** What the planner said it had stored is in its database, whoever was killed since. */
export function checkReceipts(data: string, witness: Witness, tally: Tally): void {
  withDatabase(data, (db) => {
    const find = db.prepare('select body from reports where device = ? and id = ?')
    for (const [device, report] of witness.takeReceipts()) {
      if (find.get(device, report) === undefined) {
        tally.violate(`report ${report} of ${device} has a receipt and is not in the database`)
      }
    }
  })
}

/** What devices said they had accepted came to an end that was told, about the variant that was ordered. */
export function checkAcceptedOrders(data: string, witness: Witness, tally: Tally): void {
  withDatabase(data, (db) => {
    const order = db.prepare('select body from orders where id = ?')
    const told = db.prepare(
      `select body from reports where device = ? and kind = 'install' and body like ?`,
    )
    for (const [id, device] of witness.accepted) {
      const reports = told
        .all(device, `%"${id}"%`)
        .map((row) => reportSchema.parse(JSON.parse(bodySchema.parse(row).body)))
      const ends = reports.filter(({ state }) => FINAL.has(state ?? ''))
      if (ends.length === 0) tally.violate(`order ${id}, accepted by ${device}, has no end`)
      const { body } = bodySchema.parse(order.get(id))
      for (const { state, variant } of ends) {
        if (state === 'active' && !body.includes(variant ?? '?')) {
          tally.violate(`${device} made ${variant} active for order ${id}, which names another`)
        }
      }
    }
  })
}

/**
 * What the dead planner left, read from a copy: after a kill SQLite makes the index of the write-ahead log
 * anew before it reads, for which the planner's own disk may have no room.
 */
function withDatabase(data: string, look: (db: Sqlite.Database) => void): void {
  const copy = mkdtempSync(join(tmpdir(), 'soak-ledger-'))
  try {
    for (const name of ['fitment.db', 'fitment.db-wal']) {
      if (existsSync(join(data, name))) copyFileSync(join(data, name), join(copy, name))
    }
    const db = new Sqlite(join(copy, 'fitment.db'), { readonly: true })
    look(db)
    db.close()
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
