import t from 'tap'
import { BlockWindow } from '../../../agent/artifacts/block-window.ts'

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

function arrive(window: BlockWindow, index: number, now: number): void {
  window.landed(index, now)
  window.settled(index)
}

t.test('asks for a window, then for more as soon as a quarter of it is free', (t) => {
  const window = new BlockWindow(100, 16)
  t.same(window.next(0), range(0, 16))
  t.same(window.next(0), [], 'all credit is out')
  for (const index of [0, 1, 2]) arrive(window, index, 1)
  t.same(window.next(1), [], 'not for three blocks')
  arrive(window, 3, 1)
  t.same(window.next(1), [16, 17, 18, 19])
  t.end()
})

t.test('a block being written keeps its credit: memory is bounded by the window', (t) => {
  const window = new BlockWindow(100, 16)
  window.next(0)
  for (const index of range(0, 16)) window.landed(index, 1)
  t.same(window.next(1), [])
  t.equal(window.outstanding, 16)
  t.end()
})

t.test('what is present is not asked for, and its coming is unexpected', (t) => {
  const window = new BlockWindow(6, 16, [0, 2, 3])
  t.equal(window.remaining, 3)
  t.same(window.next(0), [1, 4, 5])
  t.notOk(window.isExpected(2))
  arrive(window, 4, 1)
  t.notOk(window.isExpected(4), 'nor is a duplicate')
  t.notOk(window.isExpected(6), 'nor one past the end')
  t.end()
})

t.test('a block that two windows of later ones overtook is asked for again', (t) => {
  const window = new BlockWindow(200, 8)
  let asked = window.next(0)
  const lost = 3
  const again: number[] = []
  for (let round = 0; round < 10; round += 1) {
    for (const index of asked) if (index !== lost || round > 0) arrive(window, index, round)
    asked = window.next(round)
    again.push(...asked.filter((index) => index === lost))
    if (again.length > 0) break
  }
  t.same(again, [lost])
  t.end()
})

t.test('silence gives up what was asked and halves the window; landings widen it again', (t) => {
  const window = new BlockWindow(100, 16)
  window.next(0)
  t.notOk(window.expire(9_999))
  t.ok(window.expire(10_000))
  t.same(window.next(10_000), range(0, 8))
  t.notOk(window.expire(29_999), 'the second silence is borne twice as long')
  t.ok(window.expire(30_000))
  t.same(window.next(30_000), range(0, 4))
  for (const index of range(0, 4)) arrive(window, index, 30_010)
  t.equal(window.next(30_010).length, 8)
  t.end()
})

t.test('patience follows the rhythm of the way', (t) => {
  const window = new BlockWindow(100, 4)
  window.next(0)
  arrive(window, 0, 400)
  t.notOk(window.expire(400 + 3_000), 'a slow way may be silent for long')
  t.ok(window.expire(400 + 3_200))
  t.end()
})

t.test('a new connection asks for everything again, first things first', (t) => {
  const window = new BlockWindow(10, 4)
  window.next(0)
  arrive(window, 1, 1)
  window.forgetAsked()
  t.same(window.next(2), [0, 2, 3, 4])
  t.end()
})
