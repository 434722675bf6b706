import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { buildVariant } from '../../../../planner/conductor/building/builds.ts'
import { keyOf } from '../../../../planner/conductor/building/keys.ts'
import { openDatabase, variants } from '../../../../planner/storage/index.ts'
import { fillUp, smallDisk, WITHOUT_SMALL_DISK } from '../../../agent/small-disk.ts'
import { openPlanner } from '../scripted-fleet.ts'
import { register } from '../small-model.ts'

// Real builds, each in a process of its own, on a machine that may be busy.
t.setTimeout(300_000)

t.test('a build that finds the disk full waits for room, and is no failure', async (t) => {
  const data = smallDisk(t, 64 * 1024 * 1024)
  if (data === undefined) return t.comment(WITHOUT_SMALL_DISK)
  // Artifacts and work fill up; the database is elsewhere, and its own full disk is tried with it.
  const database = () => openDatabase({ data: t.testdir({}) })
  const p = await openPlanner(data, {}, undefined, database)
  t.teardown(p.close)
  const { context } = p.conductor
  const model = await register(p)
  const candidate = { scheme: 'static-w8a8', runtime: 'litert' } as const
  const key = keyOf(model, candidate)
  await variants.ensureVariant(context.db, { key, source: model.source, ...candidate })
  const told = new Promise<string>((resolve) =>
    context.progress.listen(({ what }) => {
      if (/no room/.test(what)) resolve(what)
    }),
  )
  const filler = join(data, 'filler')
  fillUp(filler)
  const building = buildVariant(context, model, key)
  t.match(await told, /^no room is left on the disk of .*: free some, it goes on by itself$/)
  rmSync(filler)
  await building
  t.match(await variants.findVariant(context.db, key), { state: 'planned', error: null })
  await buildVariant(context, model, key)
  t.match(await variants.findVariant(context.db, key), { state: 'built' })
})
