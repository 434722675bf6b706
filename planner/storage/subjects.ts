import { z } from 'zod'
import type { DeviceId } from '../../shared/ids.ts'
import { birthSchema } from '../../shared/messages/index.ts'
import type { Subject } from '../groups/index.ts'
import { deviceLabels } from './device-labels.ts'
import { inService } from './devices.ts'
import { readJson } from './json.ts'
import type { Db, Tables } from './tables.ts'

/** Rows read at a time: their reports are let go before the next are read. */
const PIECE = 500

/** Of a report only this is asked for by anybody. */
const boardSchema = z.object({
  board: z.object({ model: z.string().nullable() }),
  cpu: z.object({ model: z.string() }),
})
const { runtimes: runtimesSchema } = birthSchema.shape

/** What selectors may ask of all devices in service, of one class where it is named; by id. */
export async function subjectsInService(db: Db, classId?: string): Promise<readonly Subject[]> {
  const labels = await deviceLabels(db)
  const found: Subject[] = []
  let after: DeviceId = ''
  for (;;) {
    const rows = await inService(db)
      .select(['id', 'class', 'online', 'agent_version', 'runtimes', 'report'])
      .where('id', '>', after)
      .$if(classId !== undefined, (all) => all.where('class', '=', classId ?? ''))
      .orderBy('id')
      .limit(PIECE)
      .execute()
    for (const row of rows) found.push(subjectOf(row, labels.get(row.id)?.labels ?? {}))
    after = rows.at(-1)?.id ?? after
    if (rows.length < PIECE) return found
  }
}

type Row = Pick<
  Tables['devices'],
  'id' | 'class' | 'online' | 'agent_version' | 'runtimes' | 'report'
>

function subjectOf(row: Row, labels: Subject['labels']): Subject {
  const { board, cpu } = readJson(boardSchema, row.report)
  const runtimes = readJson(runtimesSchema, row.runtimes).map(({ name }) => name)
  return {
    device: row.id,
    class: row.class,
    online: row.online === 1,
    agentVersion: row.agent_version,
    runtimes: [...new Set(runtimes)],
    board: board.model ?? cpu.model,
    labels,
  }
}
