import t from 'tap'
import { keptAnswers } from '../../../planner/storage/index.ts'
import { DATABASES } from './databases.ts'

const at = new Date('2026-11-23T10:00:00.000Z')
const later = new Date('2026-11-24T11:00:00.000Z')

for (const database of DATABASES) {
  const skip = database.skip ?? false
  t.test(`keys are forgotten by their age on ${database.name}`, { skip }, async (t) => {
    const { db, close } = await (await database.create(t)).open()
    t.teardown(close)
    const done = { caller: 'c', key: 'done' }
    const begun = { caller: 'c', key: 'begun' }
    const young = { caller: 'c', key: 'young' }
    t.equal(await keptAnswers.takeKey(db, done, 'x', at), undefined)
    await keptAnswers.keepAnswer(db, done, { status: 200, body: '{}' })
    t.equal(await keptAnswers.takeKey(db, begun, 'x', at), undefined)
    t.equal(await keptAnswers.takeKey(db, young, 'x', later), undefined)

    await keptAnswers.forgetOldKeys(db, at)
    const known = { asked: 'x', status: 200, body: '{}' }
    t.match(await keptAnswers.takeKey(db, done, 'x', later), known)
    t.match(await keptAnswers.takeKey(db, begun, 'x', later), { asked: 'x', status: null })

    await keptAnswers.forgetOldKeys(db, later)
    t.equal(await keptAnswers.takeKey(db, done, 'y', later), undefined)
    const freed = await keptAnswers.takeKey(db, begun, 'y', later)
    t.equal(freed, undefined, 'whoever began it was killed, and ends it no more')
    t.match(await keptAnswers.takeKey(db, young, 'y', later), { asked: 'x', status: null })
  })
}
