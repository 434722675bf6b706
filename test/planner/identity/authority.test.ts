import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  AUTHORITY_FILES,
  ensureServerCertificate,
  openAuthority,
  SERVER_FILE,
  serverNames,
} from '../../../planner/identity/index.ts'
import { factsOf, isIssuedBy, judgeTime } from '../../../shared/identity/index.ts'
import { folderOf } from '../../broker/tls-broker.ts'
import { TestClock } from '../../clock.ts'

t.test('made on first start, for its owner only, and kept', async (t) => {
  const folder = folderOf(t)
  const { now } = new TestClock()
  const first = await openAuthority(folder, now)
  await ensureServerCertificate(folder, first, serverNames([]), now())
  const files = readdirSync(folder).sort()
  t.strictSame(files, [AUTHORITY_FILES.key, AUTHORITY_FILES.certificate, SERVER_FILE].sort())
  for (const file of files) t.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file)
  const again = await openAuthority(folder, now)
  t.equal(again.pem, first.pem)
  t.equal(again.pin, first.pin)
  t.ok(first.certificate.ca)
  t.ok(isIssuedBy(first.certificate, first.certificate))
})

t.test('a lost certificate is made anew and keeps its pin', async (t) => {
  const folder = folderOf(t)
  const { now } = new TestClock()
  const first = await openAuthority(folder, now)
  rmSync(join(folder, AUTHORITY_FILES.certificate))
  t.equal((await openAuthority(folder, now)).pin, first.pin)
})

t.test(
  'what was issued while the clock was wrong by years is issued anew, and keeps its pin',
  async (t) => {
    for (const days of [-57 * 365, 3, 40 * 365]) {
      const folder = folderOf(t)
      const clock = new TestClock()
      const { now } = clock
      const right = now()
      clock.goDays(days)
      const wrong = await openAuthority(folder, now)
      await ensureServerCertificate(folder, wrong, serverNames([]), now())
      clock.goDays(-days)
      const mended = await openAuthority(folder, now)
      t.equal(mended.pin, wrong.pin)
      t.equal(judgeTime(factsOf(mended.certificate), right), 'valid', `${days} days`)
      const server = await ensureServerCertificate(folder, mended, serverNames([]), now())
      t.equal(judgeTime(factsOf(new X509Certificate(server.cert)), right), 'valid')
      t.ok(server.cert.includes(mended.pem), 'who joins is shown the new one')
    }
  },
)

t.test('a key that cannot be used is never replaced', async (t) => {
  const other = folderOf(t)
  await openAuthority(other, new TestClock().now)
  const damages: Record<string, (path: string) => void> = {
    missing: (path) => rmSync(path),
    empty: (path) => writeFileSync(path, ''),
    torn: (path) => writeFileSync(path, readFileSync(path).subarray(0, 100)),
    'of another authority': (path) =>
      writeFileSync(path, readFileSync(join(other, AUTHORITY_FILES.key))),
  }
  for (const [name, damage] of Object.entries(damages)) {
    const folder = folderOf(t)
    const { now } = new TestClock()
    await openAuthority(folder, now)
    damage(join(folder, AUTHORITY_FILES.key))
    const before = filesOf(folder)
    await t.rejects(openAuthority(folder, now), { code: 'identity-unusable' }, name)
    t.strictSame(filesOf(folder), before, `${name}: nothing was written`)
  }
})

t.test('the server certificate says every name, and is renewed in time', async (t) => {
  const folder = folderOf(t)
  const clock = new TestClock()
  const authority = await openAuthority(folder, clock.now)
  const ensure = (given: string[]) =>
    ensureServerCertificate(folder, authority, serverNames(given), clock.now())
  const first = await ensure(['broker.example', '10.1.2.3', '0.0.0.0'])
  const leaf = new X509Certificate(first.cert)
  t.ok(isIssuedBy(leaf, authority.certificate))
  for (const host of ['localhost', 'broker.example']) t.ok(leaf.checkHost(host), host)
  for (const ip of ['127.0.0.1', '::1', '10.1.2.3']) t.ok(leaf.checkIP(ip), ip)
  t.notOk(leaf.checkIP('0.0.0.0'))
  t.notOk(leaf.checkHost('other.example'))

  t.equal((await ensure(['broker.example'])).cert, first.cert, 'fewer names change nothing')
  const more = await ensure(['broker.example', 'second.example'])
  t.not(more.cert, first.cert, 'another name needs another certificate')
  clock.goDays(59)
  t.equal((await ensure([])).cert, more.cert)
  clock.goDays(2)
  const renewed = await ensure([])
  t.not(renewed.cert, more.cert, 'renewed with a third of its life left')
  t.ok(factsOf(new X509Certificate(renewed.cert)).notAfter > more.notAfter)
  writeFileSync(join(folder, SERVER_FILE), 'torn')
  t.not((await ensure([])).cert, renewed.cert, 'nobody pins it: a damaged one is replaced')
})

function filesOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )
}
