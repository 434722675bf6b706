import t from 'tap'
import {
  emptyPages,
  type Pages,
  pageDue,
  rowAt,
  staleWhere,
  withPage,
} from '../../../planner/console/figures/pages.ts'
import { PLACES, pathTo, placeOf, withQuery } from '../../../planner/console/figures/place.ts'

/** A planner with so many rows behind cursors. */
function answering(rows: string[], size: number) {
  return (cursor: string | null) => {
    const from = cursor === null ? 0 : rows.findIndex((row) => row > cursor)
    const items = from === -1 ? [] : rows.slice(from, from + size)
    const isLast = from === -1 || from + size >= rows.length
    return { items, next: isLast ? null : (items.at(-1) ?? null), total: rows.length }
  }
}

/** Fetches whatever is due for these rows, as the page does. */
function shown(
  pages: Pages<string>,
  sight: { first: number; last: number },
  answer: ReturnType<typeof answering>,
): Pages<string> {
  for (let now = pages, turns = 0; turns < 1_000; turns += 1) {
    const due = pageDue(now, sight)
    if (due === undefined) return now
    now = withPage(now, due, answer(now.cursors[due] ?? null))
  }
  throw new Error('it asks for ever')
}

const names = (count: number) =>
  Array.from({ length: count }, (_, at) => `d${String(at).padStart(5, '0')}`)

t.test('pages come as far as one scrolls, and no further', async (t) => {
  const answer = answering(names(1_000), 50)
  const first = shown(emptyPages(50), { first: 0, last: 30 }, answer)
  t.equal(first.loaded.length, 1)
  t.equal(first.total, 1_000)
  const far = shown(first, { first: 480, last: 520 }, answer)
  t.equal(far.loaded.length, 11)
  t.equal(rowAt(far, 519), 'd00519')
  t.equal(rowAt(far, 900), undefined, 'not here yet')
  const end = shown(far, { first: 980, last: 1_000 }, answer)
  t.equal(rowAt(end, 999), 'd00999')
  t.equal(pageDue(end, { first: 990, last: 1_200 }), undefined, 'there is nothing behind the end')
})

t.test('what moved is fetched again where it is in sight', async (t) => {
  const answer = answering(names(200), 50)
  const all = shown(emptyPages(50), { first: 0, last: 200 }, answer)
  const moved = staleWhere(all, (row) => row === 'd00060')
  t.equal(pageDue(moved, { first: 0, last: 40 }), undefined, 'out of sight')
  t.equal(pageDue(moved, { first: 40, last: 90 }), 1)
})

t.test('what joins a list is seen where nothing was, and at its end', async (t) => {
  const joins = (row: string) => row === 'd00060'
  const empty = shown(emptyPages(50), { first: 0, last: 1 }, answering([], 50))
  t.equal(pageDue(empty, { first: 0, last: 1 }), undefined)
  const first = staleWhere(empty, joins)
  t.equal(pageDue(first, { first: 0, last: 1 }), 0, 'nothing was there, and may be now')
  const one = shown(first, { first: 0, last: 1 }, answering(['d00060'], 50))
  t.equal(rowAt(one, 0), 'd00060')

  const all = shown(emptyPages(50), { first: 0, last: 60 }, answering(names(60), 50))
  const moved = staleWhere(all, joins)
  t.equal(pageDue(moved, { first: 0, last: 40 }), undefined, 'the end is out of sight')
  t.equal(pageDue(moved, { first: 30, last: 60 }), 1)
  const longer = shown(moved, { first: 30, last: 60 }, answering(names(61), 50))
  t.equal(longer.total, 61)
  t.equal(rowAt(longer, 60), 'd00060')

  const part = shown(emptyPages(50), { first: 0, last: 50 }, answering(names(60), 50))
  t.equal(pageDue(staleWhere(part, joins), { first: 0, last: 50 }), undefined, 'more is behind')
})

t.test('a device that joins or goes moves the rows behind it, and none is lost', async (t) => {
  const before = names(200)
  const all = shown(emptyPages(50), { first: 0, last: 200 }, answering(before, 50))
  for (const after of [
    [...before, 'd00010x'].sort(),
    before.filter((row) => row !== 'd00010'),
    before.slice(0, 20),
    [],
  ]) {
    const stale = staleWhere(all, () => true)
    const now = shown(stale, { first: 0, last: 400 }, answering(after, 50))
    t.equal(now.total, after.length)
    const rows = Array.from({ length: after.length }, (_, row) => rowAt(now, row))
    t.strictSame(rows, after)
  }
})

t.test('every page has a link, and a link its page, whatever a device is called', async (t) => {
  for (const name of Object.keys(PLACES) as (keyof typeof PLACES)[]) {
    const named = { device: 'a/b?c#d%', model: '<img>', rollout: '..' }
    const place = placeOf(pathTo(name, named))
    t.equal(place?.name, name)
    for (const [key, value] of Object.entries(place?.named ?? {})) {
      t.equal(value, named[key as keyof typeof named])
    }
  }
  t.equal(placeOf('/nowhere'), undefined)
  t.equal(placeOf('/devices/%'), undefined, 'a percent sign that begins nothing')
  t.equal(withQuery('/fleet', { q: 'a b', class: '', state: undefined }), '/fleet?q=a+b')
})
