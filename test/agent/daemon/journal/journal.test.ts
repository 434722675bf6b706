import {
  appendFileSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Journal, readJournal } from '../../../../agent/daemon/journal/journal.ts'
import type { Change } from '../../../../agent/daemon/journal/journal-tables.ts'
import { NO_FAIL_POINTS } from '../../../../shared/fail-points.ts'
import { fillUp, smallDisk, WITHOUT_SMALL_DISK } from '../../small-disk.ts'

const variant = 'a'.repeat(64)

function counted(model: string, counter: number): Change {
  return { kind: 'counter', key: model, value: { model, counter, variant } }
}

function pathOf(t: Test): string {
  return join(t.testdir(), 'journal')
}

function open(path: string): Journal {
  return new Journal(path, NO_FAIL_POINTS)
}

t.test('the last word on every record survives a restart', (t) => {
  const path = pathOf(t)
  const journal = open(path)
  journal.commit('run.started', [counted('a', 1), counted('b', 1)])
  journal.commit('run.started', [counted('a', 2), { kind: 'counter', key: 'b' }])
  journal.close()
  const again = open(path)
  t.match(again.get('counter', 'a'), { counter: 2 })
  t.same(again.keys('counter'), ['a'])
  t.equal(again.damagedLines, 0)
  again.close()
  t.end()
})

t.test('a commit that was cut anywhere is not there, and everything before it is', (t) => {
  const path = pathOf(t)
  const journal = open(path)
  journal.commit('run.started', [counted('a', 1)])
  const whole = statSync(path).size
  journal.commit('run.started', [counted('a', 2), counted('b', 2)])
  journal.close()
  const bytes = readFileSync(path)
  for (let cut = whole + 1; cut < bytes.length; cut += 1) {
    writeFileSync(path, bytes.subarray(0, cut))
    const torn = open(path)
    t.match(torn.get('counter', 'a'), { counter: 1 })
    t.equal(torn.get('counter', 'b'), undefined)
    torn.commit('run.started', [counted('c', 3)])
    torn.close()
    t.match(readJournal(path).get('counter', 'c'), { counter: 3 }, 'what is written next stands')
  }
  t.end()
})

t.test('spoiled lines, zeros and records of another version cost only themselves', (t) => {
  const path = pathOf(t)
  const journal = open(path)
  journal.commit('run.started', [counted('a', 1)])
  appendFileSync(path, 'rust rust rust\n{"v":1}\n')
  appendFileSync(path, `${'\0'.repeat(100)}\n`)
  journal.commit('run.started', [counted('b', 1)])
  journal.close()
  appendFileSync(path, '\0'.repeat(512))
  const again = open(path)
  t.same(again.keys('counter'), ['a', 'b'])
  t.equal(again.damagedLines, 4)
  again.close()
  t.end()
})

t.test('the file is written anew when most of it is history', (t) => {
  const path = pathOf(t)
  const journal = open(path)
  for (let i = 1; i <= 4_000; i += 1) journal.commit('run.started', [counted('a', i)])
  t.ok(statSync(path).size < 300 * 1024)
  journal.close()
  t.match(readJournal(path).get('counter', 'a'), { counter: 4_000 })
  t.end()
})

t.test('a disk without room: nothing of the commit is there, and later ones stand', (t) => {
  const disk = smallDisk(t, 256 * 1024)
  if (disk === undefined) {
    t.comment(WITHOUT_SMALL_DISK)
    t.end()
    return
  }
  const path = join(disk, 'journal')
  const journal = open(path)
  journal.commit('run.started', [counted('a', 1)])
  fillUp(join(disk, 'ballast'))
  t.throws(
    () => {
      for (let i = 2; i < 1_000; i += 1) journal.commit('run.started', [counted(`b${i}`, i)])
    },
    { code: 'disk-full', message: /free some space/ },
  )
  const kept = journal.keys('counter')
  rmSync(join(disk, 'ballast'))
  journal.commit('run.started', [counted('c', 1)])
  journal.close()
  const again = open(path)
  t.same(again.keys('counter'), [...kept, 'c'])
  t.equal(again.damagedLines, 0)
  again.close()
  t.end()
})

t.test('a journal that cannot be opened is one line of advice', (t) => {
  const directory = t.testdir({ journal: {} })
  t.throws(() => open(join(directory, 'journal')), { code: 'journal-failed', message: /EISDIR/ })
  t.end()
})

t.test('reading it writes nothing', (t) => {
  const path = pathOf(t)
  const journal = open(path)
  journal.commit('run.started', [counted('a', 1)])
  journal.close()
  truncateSync(path, statSync(path).size + 7)
  const before = readFileSync(path)
  t.match(readJournal(path).get('counter', 'a'), { counter: 1 })
  t.ok(readFileSync(path).equals(before))
  t.same(readJournal(join(path, 'nowhere')).keys('counter'), [])
  t.end()
})
