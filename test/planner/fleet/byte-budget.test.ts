import t from 'tap'
import { ByteBudget } from '../../../planner/fleet/byte-budget.ts'

/** Whether it resolves without anybody giving back first. */
async function isGranted(grant: Promise<void>): Promise<boolean> {
  let granted = false
  void grant.then(() => {
    granted = true
  })
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
  return granted
}

t.test('an account waits for its own bytes, and only for those', async (t) => {
  const budget = new ByteBudget(100, 1000)
  const [slow, quick] = [budget.open(), budget.open()]
  await slow.take(60)
  const more = slow.take(60)
  t.notOk(await isGranted(more))
  t.ok(await isGranted(quick.take(60)))
  slow.give(60)
  await more
  t.equal(budget.used, 120)
})

t.test(
  'more than the share at once is granted to an account that has nothing under way',
  async (t) => {
    t.ok(await isGranted(new ByteBudget(100, 1000).open().take(5000)))
  },
)

t.test(
  'past the total everybody still has one grant, and the longest waiting is next',
  async (t) => {
    const budget = new ByteBudget(100, 200)
    const holders = [budget.open(), budget.open()]
    for (const holder of holders) await holder.take(100)
    const [first, second] = [budget.open(), budget.open()]
    t.ok(await isGranted(first.take(50)))
    t.ok(await isGranted(second.take(50)))
    const [firstAgain, secondAgain] = [first.take(50), second.take(50)]
    t.notOk(await isGranted(firstAgain))
    t.notOk(await isGranted(secondAgain))
    holders[0]?.give(100)
    t.notOk(await isGranted(firstAgain), '200 of 200 are still under way')
    holders[1]?.give(50)
    await firstAgain
    t.notOk(await isGranted(secondAgain))
    holders[1]?.give(50)
    await secondAgain
    t.equal(budget.used, 200)
  },
)

t.test('any number of accounts in any order: bounds hold, and all are served', async (t) => {
  const budget = new ByteBudget(4, 16)
  let most = 0
  let served = 0
  const work = Array.from({ length: 40 }, async (_, i) => {
    const account = budget.open()
    for (let round = 0; round < 50; round += 1) {
      await account.take(1)
      t.ok(account.used <= 4)
      most = Math.max(most, budget.used)
      const pauses = (i * 7 + round * 3) % 5
      void (async () => {
        for (let turn = 0; turn < pauses; turn += 1) await new Promise((go) => setImmediate(go))
        account.give(1)
        served += 1
      })()
    }
  })
  await Promise.all(work)
  while (served < 2000) await new Promise((go) => setImmediate(go))
  t.ok(most <= 40, 'the total, or one each')
  t.equal(budget.used, 0)
})
