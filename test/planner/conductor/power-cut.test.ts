import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { openDatabase, rollouts } from '../../../planner/storage/index.ts'

const PROGRAM = fileURLToPath(new URL('./story-process.js', import.meta.url))
/** The others are left to the soak: a transaction that was cut in the middle is one that was not begun. */
const ALSO_TORN = new Set(['model.added', 'report.stored', 'report.handled', 'assignment.given'])

t.setTimeout(400_000)

t.test(
  'killed at every commit from a model’s registration to the end of its rollout',
  async (t) => {
    const data = t.testdir({})
    const names = [
      'birth.stored',
      'model.added',
      'rollout.asked',
      'candidates.planned',
      'variant.building',
      'variant.built',
      'variant.evaluated',
      'probe.ordered',
      'report.stored',
      'report.handled',
      'selection.made',
      'rollout.started',
      'assignment.given',
      'rollout.all-settled',
    ]
    await killedAtEach(t, 'plan', data, names)
    const { db, close } = await openDatabase({ data })
    t.teardown(close)
    const orders = await db.selectFrom('orders').select('kind').execute()
    t.same(orders.map(({ kind }) => kind).sort(), ['assign', 'probe'], 'nothing was ordered twice')
    t.equal((await db.selectFrom('selections').select('seq').execute()).length, 1)
    const all = await rollouts.rolloutsOf(db, 'motor')
    t.match(all, [{ state: 'done' }])
    t.match(await rollouts.membersOf(db, all[0]?.id ?? ''), [{ state: 'active', attempt: 1 }])
  },
)

t.test(
  'killed at every commit of an abort: who ran something else before gets it back',
  async (t) => {
    const data = t.testdir({})
    await killedAtEach(t, 'abort', data, ['rollout.abort', 'assignment.given'])
    const { db, close } = await openDatabase({ data })
    t.teardown(close)
    const orders = await db.selectFrom('orders').select(['kind', 'state']).execute()
    t.same(orders, [
      { kind: 'assign', state: 'closed' },
      { kind: 'assign', state: 'closed' },
    ])
  },
)

/** One run after another dies at the next place, and leaves what it said it had stored; the last comes to the end. */
async function killedAtEach(t: Test, story: string, data: string, names: readonly string[]) {
  let run = 0
  for (const name of names) {
    for (const moment of ALSO_TORN.has(name) ? ['torn', 'after'] : ['after']) {
      run += 1
      const { signal } = await play(story, data, run, `${name}.${moment}`)
      t.equal(signal, 'SIGKILL', `killed at ${name}.${moment}`)
      await nothingIsLost(t, data)
    }
  }
  t.match(await play(story, data, run + 1, ''), { code: 0 }, 'and at last through')
  await nothingIsLost(t, data)
}

async function play(story: string, data: string, run: number, failPoint: string) {
  const child = spawn(process.execPath, [PROGRAM, story, data, `${run}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, FITMENT_FAIL_POINT: failPoint },
  })
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return { code, signal }
}

async function nothingIsLost(t: Test, data: string): Promise<void> {
  const file = join(data, 'receipts')
  const receipted = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
  const { db, close } = await openDatabase({ data })
  const stored = new Set(
    (await db.selectFrom('reports').select('id').execute()).map(({ id }) => id),
  )
  await close()
  t.same(
    receipted.filter((id) => !stored.has(id)),
    [],
  )
}
