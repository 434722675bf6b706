import t from 'tap'
import { openDatabase } from '../../../planner/storage/index.ts'
import type { FailPoints } from '../../../shared/fail-points.ts'
import { sampleAck } from '../../shared/messages/samples.ts'
import { birth } from '../storage/sample.ts'
import { openPlanner } from './scripted-fleet.ts'

const DEVICES = 20
const REPORTS = 10

t.test(
  'of what comes while the power goes, whatever was answered is in the database',
  async (t) => {
    const data = t.testdir({})
    let commits = 0
    // From the third commit of reports on all are torn.
    const failPoints: FailPoints = {
      isArmed: () => false,
      reach(name) {
        if (name === 'report.stored.before') commits += 1
        if (name === 'report.stored.torn' && commits > 2) throw new Error('no power')
      },
    }
    const open = () => openDatabase({ data })
    const planner = await openPlanner(data, {}, { now: new Date() }, open, failPoints)
    const { store } = planner.conductor
    const names = Array.from({ length: DEVICES }, (_, index) => `d${index}`)
    await Promise.all(names.map((name, index) => store.recordBirth(name, birth(index))))
    const answered: string[] = []
    const refused: string[] = []
    const speak = async (name: string) => {
      for (let said = 0; said < REPORTS; said += 1) {
        const id = `${name}-${said}`
        await store.recordReport(name, sampleAck(id)).then(
          () => answered.push(id),
          () => refused.push(id),
        )
      }
    }
    await Promise.all(names.map(speak))
    const { db } = planner.conductor.context
    const stored = (await db.selectFrom('reports').select('id').execute()).map(({ id }) => id)
    t.same([...stored].sort(), [...answered].sort(), 'neither more nor less')
    t.ok(
      answered.length > 2 && refused.length > 0,
      'more than one a commit, and then the power went',
    )
    await planner.close()
  },
)
