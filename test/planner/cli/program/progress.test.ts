import { PassThrough } from 'node:stream'
import t from 'tap'
import { startProgress } from '../../../../planner/cli/program/progress.ts'

function progressAt() {
  const stream = new PassThrough()
  let now = 0
  const progress = startProgress('quantizing', stream, () => now)
  return {
    at: (ms: number, done: number, total: number, what?: string) => {
      now = ms
      progress.update(done, total, what)
      return String(stream.read() ?? '')
    },
  }
}

t.test('says how much is done, and how long the rest will take at that pace', async (t) => {
  const { at } = progressAt()
  t.equal(at(0, 0, 100, 'calibrating'), '')
  t.equal(at(500, 5, 100, 'calibrating'), '', 'quick work stays quiet')
  t.equal(at(10_000, 25, 100, 'calibrating'), 'calibrating: 25/100 (25 %), about 30 s left\n')
  t.equal(at(60_000, 30, 100, 'calibrating'), 'calibrating: 30/100 (30 %), about 3 min left\n')
})

t.test('each kind of work has a pace of its own', async (t) => {
  const { at } = progressAt()
  at(0, 0, 10, 'calibrating')
  at(50_000, 9, 10, 'calibrating')
  t.equal(at(60_000, 0, 4, 'trying'), 'trying: 0/4 (0 %)\n', 'nothing is known of it yet')
  t.equal(at(66_000, 3, 4, 'trying'), 'trying: 3/4 (75 %), about 2 s left\n')
  t.equal(at(72_000, 0, 4, 'trying'), 'trying: 0/4 (0 %)\n', 'begun anew')
})

t.test('work of unknown amount has no time left', async (t) => {
  const { at } = progressAt()
  t.equal(at(5_000, 7, 0), 'quantizing\n')
})
