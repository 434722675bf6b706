import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { COMMIT_NAMES } from '../../../planner/conductor/context/commit-names.ts'
import { openDatabase, rollouts } from '../../../planner/storage/index.ts'
import { NO_FAIL_POINTS } from '../../../shared/fail-points.ts'
import { play } from './play.ts'
import { STORIES, type StoryName } from './stories.ts'

const PROGRAM = fileURLToPath(new URL('./story-process.js', import.meta.url))

t.setTimeout(400_000)

t.test('every commit that has a name is in a story', (t) => {
  const told = Object.values(STORIES).flatMap(({ commits }): readonly string[] => commits)
  t.same([...told].sort(), [...COMMIT_NAMES].sort())
  t.end()
})

for (const story of Object.keys(STORIES) as StoryName[]) {
  t.test(`${story}: killed at every commit, one after another`, async (t) => {
    const data = t.testdir({})
    let run = 0
    for (const name of STORIES[story].commits) {
      run += 1
      // What is cut before it is committed leaves no trace: for that the process need not die.
      const cuts = [`${name}.before`, `${name}.torn`]
      const signal = await killedAt(`${name}.after`, [story, data, `${run}`, cuts.join(',')])
      t.equal(signal, 'SIGKILL', `killed at ${name}.after`)
    }
    await play(story, data, run + 1, NO_FAIL_POINTS)
    const { db, close } = await openDatabase({ data })
    t.teardown(close)
    await t.test('nothing was done twice', async (t) => {
      const orders = await db.selectFrom('orders').select(['kind', 'state']).execute()
      const kinds = orders.map(({ kind }) => kind).sort()
      t.same(kinds, ORDERED[story])
      t.notOk(
        orders.some(({ state }) => state === 'pending'),
        'and nothing is open',
      )
      if (story !== 'plan') return
      t.equal((await db.selectFrom('selections').select('seq').execute()).length, 1)
      const all = await rollouts.rolloutsOf(db, 'motor')
      t.match(all, [{ state: 'done' }])
      t.match(await rollouts.membersOf(db, all[0]?.id ?? ''), [{ state: 'active', attempt: 1 }])
    })
  })
}

const ORDERED: Readonly<Record<StoryName, readonly string[]>> = {
  plan: ['assign', 'probe', 'probe'],
  parts: [],
  abort: ['assign', 'assign'],
  released: ['assign'],
  asked: ['assign', 'assign'],
  canary: ['assign', 'assign'],
  failures: ['assign', 'assign', 'assign'],
  sick: ['assign'],
  lost: ['assign', 'assign', 'assign', 'assign', 'assign'],
  small: [],
  runtime: ['assign'],
  broken: [],
}

async function killedAt(failPoint: string, args: readonly string[]): Promise<string | null> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, FITMENT_FAIL_POINT: failPoint },
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return signal
}
