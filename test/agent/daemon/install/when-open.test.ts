import t from 'tap'
import { whenOpen } from '../../../../agent/daemon/install/when-open.ts'
import { DAYS } from '../../../../shared/windows/index.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

t.test('waits by the wall where the device stands, and no longer', async (t) => {
  let now = new Date('2026-03-29T00:59:00Z')
  let zone = 'Europe/Berlin'
  const place = {
    clock: { now: () => now, monotonic: () => 0 },
    log: silent as never,
    timeZone: () => zone,
  }
  const windows = [{ days: [...DAYS], from: '02:00', to: '02:30', zone: null }]
  const leaving = new AbortController()
  let isOpen = false
  const waited = whenOpen('motor', windows, place, leaving.signal).then(() => {
    isOpen = true
  })
  // The night on which 02:00 to 03:00 is skipped: this window does not open.
  now = new Date('2026-03-29T01:00:00Z')
  await new Promise((resolve) => setTimeout(resolve, 1500))
  t.equal(isOpen, false)
  zone = 'Europe/Lisbon'
  now = new Date('2026-03-29T01:10:00Z')
  await waited
  t.equal(isOpen, true, '02:10 in Lisbon, where it was carried')

  await whenOpen('motor', [], place, leaving.signal)
  zone = 'UTC'
  const given = whenOpen('motor', windows, place, leaving.signal)
  leaving.abort()
  await t.rejects(given, { name: 'AbortError' }, 'who leaves, or is superseded, waits no more')
})
