import { DAYS, type Window } from './window.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Every window that ever opens does within eight days of any moment: a week, and the day that a clock change skips. */
const LOOK_AHEAD_DAYS = 15

/**
 * Milliseconds until one of the windows is open; 0: now, or there are none. Null: none opens within two weeks.
 * @param zone where the device stands, IANA
 */
export function untilOpen(windows: readonly Window[], now: Date, zone: string): number | null {
  if (windows.length === 0) return 0
  let soonest: number | null = null
  for (const each of windows) {
    const wait = untilOneOpen(each, now, each.zone ?? zone)
    if (wait !== null && (soonest === null || wait < soonest)) soonest = wait
  }
  return soonest
}

function untilOneOpen({ days, from, to }: Window, now: Date, zone: string): number | null {
  const today = wallOf(now, zone)
  // One that began yesterday may still be open.
  for (let day = -1; day <= LOOK_AHEAD_DAYS; day += 1) {
    const date = new Date(Date.UTC(today.year, today.month - 1, today.day) + day * DAY_MS)
    if (!days.includes(DAYS[(date.getUTCDay() + 6) % 7] as (typeof DAYS)[number])) continue
    const opens = momentOf(date, from, zone)
    const closes = momentOf(to > from ? date : new Date(date.getTime() + DAY_MS), to, zone)
    // All of it lies in the hour that a clock skips: that day has no such window.
    if (closes <= opens || closes <= now.getTime()) continue
    return Math.max(0, opens - now.getTime())
  }
  return null
}

/**
 * When the wall says so on that date. A time that a change of the clock skips is the moment of the change; of one that
 * it repeats, the first.
 */
function momentOf(date: Date, time: string, zone: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  const wall = date.getTime() + (60 * hours + minutes) * MINUTE_MS
  const offsets = [wall - DAY_MS, wall + DAY_MS].map((at) => offsetOf(at, zone))
  const moments = offsets.map((offset) => wall - offset)
  const right = moments.filter((moment) => moment + offsetOf(moment, zone) === wall)
  if (right.length > 0) return Math.min(...right)
  return changeBetween(Math.min(...moments), Math.max(...moments), zone)
}

/** The first moment at which the offset is what it is at the end. */
function changeBetween(from: number, to: number, zone: string): number {
  const after = offsetOf(to, zone)
  let [low, high] = [from, to]
  while (high - low > MINUTE_MS) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS
    if (offsetOf(middle, zone) === after) high = middle
    else low = middle
  }
  return high
}

/** What the wall is ahead of UTC, ms. */
function offsetOf(moment: number, zone: string): number {
  const { year, month, day, hour, minute, second } = wallOf(new Date(moment), zone)
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  return wall - Math.floor(moment / 1000) * 1000
}

const formats = new Map<string, Intl.DateTimeFormat>()

function wallOf(moment: Date, zone: string) {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  formats.set(zone, format)
  const parts = format.formatToParts(moment)
  const of = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((part) => part.type === type)?.value)
  return {
    year: of('year'),
    month: of('month'),
    day: of('day'),
    hour: of('hour'),
    minute: of('minute'),
    second: of('second'),
  }
}
