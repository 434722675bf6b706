export { ClockError, isPlausible, MADE_AT, minute, requirePlausible } from './plausible.ts'
export { type ClockJump, jumpSince, TOLERATED_MS, type WatchedClock, watchClock } from './watch.ts'
