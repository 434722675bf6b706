import t from 'tap'
import { readIdentity, writeIdentity } from '../../../agent/identity/identity-file.ts'
import { keepRenewed, pauseAfter, renewAt } from '../../../agent/identity/keep-renewed.ts'
import { openAuthority } from '../../../planner/identity/index.ts'
import { credentialsFrom, device, folderOf } from '../../broker/tls-broker.ts'
import { TestClock } from '../../clock.ts'
import { log } from '../quiet-log.ts'

const DAY_MS = 86_400_000

t.test('between 61 and 66 percent of its life a certificate is renewed', async (t) => {
  const validity = { notBefore: new Date(0), notAfter: new Date(30 * DAY_MS) }
  t.same(renewAt(validity, 0), new Date(20 * DAY_MS))
  t.same(renewAt(validity, 1), new Date(18.5 * DAY_MS))
})

t.test('pauses double up to six hours, and differ', async (t) => {
  t.strictSame(
    [1, 2, 3].map((failures) => pauseAfter(failures, 0)),
    [60_000, 120_000, 240_000],
  )
  t.equal(pauseAfter(1_000, 0), 6 * 3_600_000)
  t.equal(pauseAfter(1, 1), 30_000)
})

/** A device in virtual time: what it does, and on which day. */
async function deviceFor(t: Parameters<typeof folderOf>[0], untilDay: number) {
  const clock = new TestClock()
  const start = clock.now().getTime()
  const authority = await openAuthority(folderOf(t), clock.now)
  const stateDir = folderOf(t)
  const give = async () => {
    const { cert: certificate, key } = await credentialsFrom(authority, device('pi-1'), clock)
    await writeIdentity(stateDir, {
      v: 1,
      broker: 'mqtts://localhost',
      fleet: 'default',
      device: 'pi-1',
      trust: 'sha256:x',
      authority: authority.pem,
      certificate,
      key,
      token: '0'.repeat(64),
    })
  }
  await give()
  const leaving = new AbortController()
  const day = () => (clock.now().getTime() - start) / DAY_MS
  const attempts: number[] = []
  const run = (renew: () => Promise<void>) =>
    keepRenewed({
      stateDir,
      now: clock.now,
      random: () => 0,
      leaving: leaving.signal,
      log,
      async sleep(ms) {
        clock.goMs(ms)
        if (day() > untilDay) leaving.abort()
      },
      async renew() {
        attempts.push(day())
        await renew()
      },
    })
  return { clock, stateDir, attempts, give, run }
}

t.test('a device that stays on renews every 20 days', async (t) => {
  const { attempts, give, run } = await deviceFor(t, 100)
  await run(give)
  t.equal(attempts.length, 5)
  for (const [i, day] of attempts.entries()) t.ok(Math.abs(day - 20 * (i + 1)) < 1, `day ${day}`)
})

t.test('a planner that is away is asked again, not without end', async (t) => {
  const { attempts, give, run } = await deviceFor(t, 29)
  await run(async () => {
    if (attempts.length < 12) throw new Error('no planner')
    await give()
  })
  t.equal(attempts.length, 12)
  const pauses = attempts.slice(1).map((day, i) => (day - (attempts[i] as number)) * DAY_MS)
  t.ok(pauses.every((pause) => pause >= 59_999))
})

t.test('a clock that leaps ahead asks once an hour, not without end', async (t) => {
  const { clock, attempts, run } = await deviceFor(t, 1_000.5)
  clock.goDays(1_000)
  await run(async () => {})
  t.ok(attempts.length > 0 && attempts.length <= 13, `${attempts.length} attempts in half a day`)
})

t.test('what it has stays when renewal fails', async (t) => {
  const { stateDir, run } = await deviceFor(t, 25)
  const before = readIdentity(stateDir)
  await run(async () => {
    throw new Error('no')
  })
  t.strictSame(readIdentity(stateDir), before)
})
