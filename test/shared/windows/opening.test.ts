import t from 'tap'
import { untilOpen } from '../../../shared/windows/opening.ts'
import {
  DAYS,
  parseDays,
  requireZone,
  type Window,
  windowSchema,
} from '../../../shared/windows/window.ts'

const daily = (from: string, to: string, zone: string | null = null): Window => ({
  days: [...DAYS],
  from,
  to,
  zone,
})
const MINUTE = 60_000
const minutes = (windows: Window[], now: string, zone = 'Europe/Berlin') => {
  const wait = untilOpen(windows, new Date(now), zone)
  return wait === null ? null : wait / MINUTE
}

t.test('open, about to open, and over for today', (t) => {
  t.equal(minutes([], '2026-06-01T12:00:00Z'), 0, 'no window: always')
  t.equal(minutes([daily('02:00', '04:00')], '2026-06-01T00:30:00Z'), 0, '02:30 in Berlin')
  t.equal(minutes([daily('02:00', '04:00')], '2026-06-01T02:00:00Z'), 22 * 60, '04:00 is over')
  t.equal(minutes([daily('02:00', '04:00')], '2026-05-31T23:59:00Z'), 1)
  t.equal(
    minutes([daily('02:00', '04:00', 'UTC')], '2026-06-01T00:30:00Z'),
    90,
    'the zone it names',
  )
  t.equal(minutes([daily('02:00', '04:00')], '2026-06-01T00:30:00Z', 'America/New_York'), 5.5 * 60)
  t.equal(minutes([daily('22:00', '04:00')], '2026-06-01T01:30:00Z'), 0, 'begun yesterday')
  t.equal(minutes([daily('22:00', '04:00')], '2026-06-01T02:00:00Z'), 18 * 60)
  const both = [daily('02:00', '04:00'), daily('12:00', '13:00')]
  t.equal(minutes(both, '2026-06-01T09:00:00Z'), 60, 'whichever opens first')
  t.end()
})

t.test('days are those on which it begins, where the device stands', (t) => {
  const sunday: Window = { ...daily('22:00', '02:00'), days: ['sun'] }
  // 2026-06-07 is a Sunday.
  t.equal(minutes([sunday], '2026-06-07T19:00:00Z'), 60)
  t.equal(minutes([sunday], '2026-06-07T23:30:00Z'), 0, 'Monday 01:30')
  t.equal(minutes([sunday], '2026-06-08T19:30:00Z'), 6 * 24 * 60 + 30, 'Monday evening is none')
  t.equal(minutes([sunday], '2026-06-07T12:00:00Z', 'Asia/Tokyo'), 60, '21:00 there')
  t.end()
})

t.test('across a change of the clock', (t) => {
  // Berlin: 2026-03-29 02:00 → 03:00, 2026-10-25 03:00 → 02:00.
  const night = [daily('02:00', '04:00')]
  t.equal(minutes(night, '2026-03-28T23:00:00Z'), 120, '02:00 is skipped: it opens at 03:00')
  t.equal(minutes(night, '2026-03-29T01:30:00Z'), 0)
  t.equal(minutes(night, '2026-03-29T02:00:00Z'), 22 * 60, 'and closes at 04:00 all the same')
  t.equal(
    minutes([daily('02:15', '02:45')], '2026-03-28T23:00:00Z'),
    25 * 60 + 15,
    'none that night: the next is on the 30th',
  )
  t.equal(minutes(night, '2026-10-24T22:00:00Z'), 120, 'the first 02:00')
  t.equal(minutes(night, '2026-10-25T02:59:00Z'), 0, 'three hours long that night')
  t.equal(minutes(night, '2026-10-25T03:00:00Z'), 22 * 60)
  const weekly: Window = { ...daily('02:15', '02:45'), days: ['sun'] }
  t.equal(minutes([weekly], '2026-03-28T23:00:00Z'), (7 * 24 + 1) * 60 + 15, 'a week later')
  // Lord Howe Island changes by half an hour: 2026-10-04 02:00 → 02:30.
  t.equal(
    minutes([daily('02:00', '02:20')], '2026-10-03T15:00:00Z', 'Australia/Lord_Howe'),
    24 * 60 + 0,
  )
  t.end()
})

t.test('every minute of a week across both changes: open by the wall, and only then', (t) => {
  const wall = new Intl.DateTimeFormat('en-GB', {
    timeZone: 'Europe/Berlin',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  for (const start of ['2026-03-27T00:00:00Z', '2026-10-23T00:00:00Z']) {
    for (const [from, to] of [
      ['02:30', '05:10'],
      ['22:10', '02:50'],
      ['00:00', '23:59'],
    ] as const) {
      for (let minute = 0; minute < 4 * 24 * 60; minute += 7) {
        const now = new Date(Date.parse(start) + minute * MINUTE)
        const said = wall.format(now)
        const isIn = from < to ? said >= from && said < to : said >= from || said < to
        const isOpen = untilOpen([daily(from, to)], now, 'Europe/Berlin') === 0
        // The hour that is repeated belongs to the window that has begun in it, and closes with its first end.
        const isRepeated = start.includes('-10-') && said >= '02:00' && said < '03:00'
        if (isOpen !== isIn && !isRepeated) t.fail(`${now.toISOString()} ${said} in ${from}–${to}`)
      }
      t.pass(`${start} ${from}–${to}`)
    }
  }
  t.end()
})

t.test('what is no window', (t) => {
  t.same(parseDays('mon-wed,sun'), ['mon', 'tue', 'wed', 'sun'])
  t.same(parseDays('fri-mon'), ['mon', 'fri', 'sat', 'sun'])
  t.same(parseDays('daily'), DAYS)
  for (const text of ['', 'monday', 'mon-', 'mon-tue-wed', '1-5']) {
    t.throws(() => parseDays(text), { code: 'usage', message: /is no day: write e\.g\. mon-fri/ })
  }
  t.throws(() => requireZone('Mars/Olympus'), { message: /is no time zone/ })
  t.match(windowSchema.safeParse(daily('02:00', '02:00')).error?.issues, [
    { message: /never opens/ },
  ])
  t.equal(windowSchema.safeParse(daily('25:00', '02:00')).success, false)
  t.end()
})
