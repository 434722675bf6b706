import t from 'tap'
import { Pace } from '../../../planner/fleet/pace.ts'

t.test('so many bytes a second, whoever asks, and no credit for silence', (t) => {
  let now = 0
  const pace = new Pace(1000, () => now)
  t.same([pace.reserve(500), pace.reserve(500), pace.reserve(1000)], [0, 500, 1000])
  now = 10_000
  t.equal(pace.reserve(500), 0)
  t.equal(pace.reserve(500), 500)
  let sent = 0
  const steady = new Pace(64_000, () => now)
  for (const start = now; now < start + 10_000; ) {
    now += steady.reserve(65_536)
    sent += 65_536
  }
  t.ok(sent <= 640_000 + 2 * 65_536, `${sent} bytes in ten seconds`)
  t.equal(new Pace(Number.POSITIVE_INFINITY, () => now).reserve(1e12), 0)
  t.end()
})
