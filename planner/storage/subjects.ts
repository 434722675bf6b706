import { z } from 'zod'
import type { DeviceId } from '../../shared/ids.ts'
import type { Labels } from '../../shared/labels.ts'
import { birthSchema } from '../../shared/messages/index.ts'
import type { Subject } from '../groups/index.ts'
import { deviceLabels } from './device-labels.ts'
import { type Device, inService } from './devices.ts'
import { readJson } from './json.ts'
import type { Db } from './tables.ts'

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
    for (const { id, class: ofClass, online, agent_version: agentVersion, ...said } of rows) {
      const device = {
        ...{ id, class: ofClass, online: online === 1, agentVersion },
        runtimes: readJson(runtimesSchema, said.runtimes),
        report: readJson(boardSchema, said.report),
      }
      found.push(subjectOf(device, labels.get(id)?.labels ?? {}))
    }
    after = rows.at(-1)?.id ?? after
    if (rows.length < PIECE) return found
  }
}

/** What of a device selectors may ask. */
type Described = Pick<Device, 'id' | 'class' | 'online' | 'agentVersion'> & {
  readonly runtimes: readonly Pick<Device['runtimes'][number], 'name'>[]
  readonly report: z.output<typeof boardSchema>
}

export function subjectOf(device: Described, labels: Labels): Subject {
  return {
    device: device.id,
    class: device.class,
    online: device.online,
    agentVersion: device.agentVersion,
    runtimes: [...new Set(device.runtimes.map(({ name }) => name))],
    board: device.report.board.model ?? device.report.cpu.model,
    labels,
  }
}
