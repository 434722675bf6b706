import t from 'tap'
import { SparseLog } from '../../shared/sparse-log.ts'
import { TokenBucket } from '../../shared/token-bucket.ts'

t.test('a bucket gives its burst, then one per interval, never more than the burst', async (t) => {
  let now = 1000
  const bucket = new TokenBucket(3, 100, () => now)
  const takeAll = () => {
    let taken = 0
    while (bucket.take()) taken += 1
    return taken
  }
  t.equal(takeAll(), 3)
  now += 99
  t.equal(takeAll(), 0)
  now += 1
  t.equal(takeAll(), 1)
  now += 1_000_000
  t.equal(takeAll(), 3)
})

t.test('a flood is logged in part, and the next line tells how much was left out', async (t) => {
  let now = 0
  const lines: object[] = []
  const log = new SparseLog({ warn: (details: object) => lines.push(details) }, () => now)
  for (let i = 0; i < 1000; i += 1) log.warn({ i }, 'denied')
  t.equal(lines.length, 20)
  now += 5_000
  log.warn({ i: 1000 }, 'denied')
  t.strictSame(lines.at(-1), { i: 1000, leftOut: 980 })
})
