import { pino } from 'pino'
import type { Test } from 'tap'
import { socketPath, startApi } from '../../../planner/api/index.ts'
import { openPlanner } from '../conductor/scripted-fleet.ts'

/** A planner whose devices the test plays, with its API on the socket commands ask. */
export async function running(t: Test, clock?: { now: Date }, data = t.testdir({})) {
  const planner = await openPlanner(data, {}, clock)
  t.teardown(planner.close)
  const api = await startApi({
    conductor: planner.conductor,
    info: { version: '', fleet: 'default', broker: '', database: '', trust: planner.trust },
    socket: socketPath(data),
    log: pino({ level: 'silent' }),
  })
  t.teardown(api.close)
  return { data, planner }
}
