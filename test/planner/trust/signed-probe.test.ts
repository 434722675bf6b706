import { join } from 'node:path'
import t from 'tap'
import { DeviceTrust } from '../../../agent/trust/index.ts'
import { type KeyPlan, SIMPLEST_PLAN } from '../../../planner/trust/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import type { ProbeOrder } from '../../../shared/messages/index.ts'
import { anchorDigest } from '../../../shared/trust/index.ts'
import { openAuthority, publish, replaced, TestClock } from '../../agent/trust/forge.ts'

const ref = (name: string) => ({
  digest: digestOf(name),
  bytes: 10,
  blockList: digestOf(`${name} blocks`),
})
const ORDER: ProbeOrder = {
  v: 1,
  id: 'p1',
  kind: 'probe',
  model: 'ic01',
  variant: digestOf('v'),
  artifact: ref('v'),
  runtime: 'litert',
  scheme: 'float32',
  data: ref('data'),
  baseline: null,
  threads: 1,
  measureMs: 200,
  timeoutMs: 1_000,
}
const NONE = { director: 0, image: 0 }

/** A planner, and a device that was told the digest of its first roots and nothing else. */
async function sceneOf(dir: string, plan?: KeyPlan) {
  const clock = new TestClock()
  const authority = await openAuthority(join(dir, 'planner'), clock, plan)
  const device = await DeviceTrust.open({
    dir: join(dir, 'device'),
    device: 'dev1',
    class: 'pi4',
    runtimes: ['litert'],
    anchor: anchorDigest(await authority.anchor()),
    clock,
  })
  return { authority, device }
}

t.test('a device that never heard of the planner believes its first probe', async (t) => {
  const { authority, device } = await sceneOf(t.testdir())
  t.strictSame(await device.verifyProbe(await authority.vouch('dev1', ORDER, NONE)), ORDER)
  const since = await device.rootVersions()
  t.strictSame(since, { director: 1, image: 1 })
  const next = await authority.vouch('dev1', ORDER, since)
  t.strictSame(next.roots, { director: {}, image: {} }, 'what it has does not travel again')
  t.strictSame(await device.verifyProbe(next), ORDER)
})

t.test('a new director key is followed, and the old one signs nothing any more', async (t) => {
  const { authority, device } = await sceneOf(t.testdir())
  const old = await authority.vouch('dev1', ORDER, NONE)
  await device.verifyProbe(old)
  const change = await replaced(authority, 'director')
  const roles = { timestamp: change, snapshot: change, targets: change }
  await publish(authority, await authority.rotate('director', roles))
  const since = await device.rootVersions()
  t.strictSame(await device.verifyProbe(await authority.vouch('dev1', ORDER, since)), ORDER)
  t.strictSame(await device.rootVersions(), { director: 2, image: 1 })
  await t.rejects(device.verifyProbe(old), { code: 'arbitrary-software' })
})

t.test('where two must sign, one is not enough, nor one twice', async (t) => {
  const two = { keys: ['director', 'director-b'], threshold: 2 }
  const { authority, device } = await sceneOf(t.testdir(), { ...SIMPLEST_PLAN, director: two })
  const order = await authority.vouch('dev1', ORDER, NONE)
  const [one, other] = order.vouched.signatures
  t.ok(one && other)
  for (const signatures of [[one], [one, one]] as (typeof order.vouched.signatures)[]) {
    const vouched = { ...order.vouched, signatures }
    await t.rejects(device.verifyProbe({ ...order, vouched }), { code: 'arbitrary-software' })
  }
  t.strictSame(await device.verifyProbe(order), ORDER)
})
