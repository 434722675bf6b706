import t from 'tap'
import { Doubles } from '../../../planner/fleet/doubles.ts'

const MINUTE = 60_000

t.test('restarts are none, nor is one birth that was late', async (t) => {
  const doubles = new Doubles(() => 0)
  const told = ['a', 'a', 'b', 'a', 'c', 'd'].map((start) => doubles.take(start))
  t.same(told, [false, false, false, false, false, false])
})

t.test('sessions that take turns are, told once in a while', async (t) => {
  let now = 0
  const doubles = new Doubles(() => now)
  const told: boolean[] = []
  for (let turn = 0; turn < 20; turn += 1) {
    told.push(doubles.take(turn % 2 === 0 ? 'a' : 'b'))
    now += MINUTE
  }
  t.equal(told.indexOf(true), 3, 'at the second return')
  t.equal(told.filter((one) => one).length, 2, `${told}`)
})

t.test('one of two that is restarted again and again is still one of two', async (t) => {
  const doubles = new Doubles(() => 0)
  const told = ['a', 'b1', 'a', 'b2', 'a', 'b3'].map((start) => doubles.take(start))
  t.ok(told.includes(true))
})
