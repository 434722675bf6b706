import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { makeKeyWithRequest } from '../../../agent/identity/certificate-request.ts'
import { readIdentity, readPending, writePending } from '../../../agent/identity/identity-file.ts'
import { joinFleet } from '../../../agent/identity/join.ts'
import { renewIdentity } from '../../../agent/identity/renew.ts'
import {
  factsOf,
  joinKeyOf,
  parseJoinToken,
  printJoinToken,
} from '../../../shared/identity/index.ts'
import { folderOf } from '../../broker/tls-broker.ts'
import { joinRequest, trust, verdict } from '../../planner/identity/registry.ts'
import { joinableFleet } from './joinable-fleet.ts'

const timeoutMs = 30_000

t.test('a token is all a device needs', async (t) => {
  const fleet = await joinableFleet(t)
  const stateDir = folderOf(t)
  const token = await fleet.token('pi-1')
  const heard: string[] = []
  await fleet.broker.subscribeJoins('default', (_, bytes) => heard.push(String(bytes)))
  const identity = await joinFleet({ token, device: undefined, stateDir, timeoutMs })
  const { broker, device } = identity
  t.strictSame(
    { broker, fleet: identity.fleet, device },
    { broker: fleet.url, fleet: 'default', device: 'pi-1' },
  )
  t.equal(identity.trust, trust)
  const certificate = new X509Certificate(identity.certificate)
  t.strictSame(factsOf(certificate).name, { role: 'device', fleet: 'default', device: 'pi-1' })

  const file = join(stateDir, 'identity', 'identity.json')
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.strictSame(readIdentity(stateDir), identity)
  t.equal(readPending(stateDir), undefined)
  const { secret } = parseJoinToken(token)
  const said = heard.join() + readFileSync(file, 'utf8')
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    t.notOk(said.includes(Buffer.from(secret).toString(encoding)), 'the secret stays in the token')
  }
  t.notOk(heard.join().includes('PRIVATE KEY'))

  const again = await joinFleet({ token, device: undefined, stateDir, timeoutMs })
  t.strictSame(again, identity, 'said twice, done once')
  t.equal(heard.length, 1)
})

t.test('a stolen token that was used is refused, and leaves nothing to run with', async (t) => {
  const fleet = await joinableFleet(t)
  const token = await fleet.token()
  await joinFleet({ token, device: 'pi-1', stateDir: folderOf(t), timeoutMs })
  const thief = folderOf(t)
  await t.rejects(joinFleet({ token, device: 'pi-1', stateDir: thief, timeoutMs }), {
    code: 'join-token-used',
  })
  t.equal(readIdentity(thief), undefined)
  fleet.clock.goDays(2)
  const late = await fleet.token()
  fleet.clock.goDays(2)
  await t.rejects(joinFleet({ token: late, device: 'pi-2', stateDir: thief, timeoutMs }), {
    code: 'join-token-expired',
  })
})

t.test('a device that died before it heard the answer gets it again', async (t) => {
  const fleet = await joinableFleet(t)
  const stateDir = folderOf(t)
  const token = await fleet.token('pi-1')
  const made = await makeKeyWithRequest('pi-1')
  const { keyId } = joinKeyOf(parseJoinToken(token).secret).trusted
  await writePending(stateDir, { v: 1, token: keyId, device: 'pi-1', ...made })
  t.equal(verdict(await fleet.registrar.answer(await joinRequest(token, 'pi-1', made))), 'issued')

  const identity = await joinFleet({ token, device: undefined, stateDir, timeoutMs })
  t.equal(identity.key, made.key)
  t.equal(readPending(stateDir), undefined)
})

t.test('a broker of another authority hears nothing', async (t) => {
  const real = await joinableFleet(t)
  const impostor = await joinableFleet(t)
  const heard: string[] = []
  await impostor.broker.subscribeJoins('default', (topic) => heard.push(topic))
  const token = printJoinToken({
    ...parseJoinToken(await real.token('pi-1')),
    broker: impostor.url,
  })
  const stateDir = folderOf(t)
  await t.rejects(joinFleet({ token, device: undefined, stateDir, timeoutMs }), {
    code: 'authority-not-pinned',
  })
  t.strictSame(heard, [])
  t.notOk(existsSync(join(stateDir, 'identity')))
})

t.test('what a person can do wrong has one clear answer', async (t) => {
  const fleet = await joinableFleet(t)
  const stateDir = folderOf(t)
  const ask = (token: string, device?: string) => joinFleet({ token, device, stateDir, timeoutMs })
  await t.rejects(ask('hello'), { code: 'malformed-token' })
  const nobody = { ...parseJoinToken(await fleet.token('pi-1')), broker: await silentBroker(t) }
  await t.rejects(ask(printJoinToken(nobody)), { code: 'broker-unreachable' })
  await t.rejects(ask(await fleet.token()), { code: 'usage', message: /--device/ })
  await t.rejects(ask(await fleet.token('pi-1'), 'pi-2'), { code: 'usage' })
  await t.rejects(renewIdentity(stateDir, timeoutMs), { code: 'not-joined' })
  const first = await ask(await fleet.token('pi-1'))
  await t.rejects(ask(await fleet.token('pi-2')), { code: 'already-joined' })
  const again = await ask(await fleet.token('pi-1'))
  t.not(again.key, first.key, 'a new token for the same device gives it a new key')
  t.same(readIdentity(stateDir), again)
  writeFileSync(join(stateDir, 'identity', 'identity.json'), '{"v":1')
  await t.rejects(ask(await fleet.token('pi-1')), { code: 'identity-unusable' })
  const blocked = join(folderOf(t), 'file')
  writeFileSync(blocked, '')
  await t.rejects(
    joinFleet({ token: await fleet.token('pi-3'), device: 'pi-3', stateDir: blocked, timeoutMs }),
    { code: 'identity-unusable' },
  )
})

t.test('renewal changes key and certificate together', async (t) => {
  const fleet = await joinableFleet(t)
  const stateDir = folderOf(t)
  const first = await joinFleet({
    token: await fleet.token('pi-1'),
    device: undefined,
    stateDir,
    timeoutMs,
  })
  fleet.clock.goDays(20)
  const next = await renewIdentity(stateDir, timeoutMs)
  t.not(next.key, first.key)
  t.ok(new X509Certificate(next.certificate).publicKey)
  t.strictSame(readIdentity(stateDir), next)
  fleet.clock.goDays(31)
  await t.rejects(renewIdentity(stateDir, timeoutMs), { code: 'certificate-expired' })
  t.strictSame(readIdentity(stateDir), next, 'what it has stays')
})

/** Accepts and says nothing, then hangs up. */
async function silentBroker(t: Parameters<typeof folderOf>[0]): Promise<string> {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  return `mqtts://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}
