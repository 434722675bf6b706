/** Which devices are given which package, as the planner sees it: devices are played by the test. */
import t, { type Test } from 'tap'
import { runtimePackages } from '../../../../planner/storage/index.ts'
import { digestOf } from '../../../../shared/digest.ts'
import type { OrderOf } from '../../../../shared/messages/index.ts'
import { libraryDigest, readManifest } from '../../../../shared/runtime-package/index.ts'
import { asFile, packageOf } from '../../../agent/packages.ts'
import { hardware } from '../../storage/sample.ts'
import { type Planner, planner, ScriptedDevice, settle } from '../scripted-fleet.ts'

const TAKES = { acceptsRuntimes: true }
const NAME = 'runtime.tflite'

/** Added as `fitment runtimes add` does; answers its digest. */
async function added(
  { conductor }: Planner,
  version: string,
  { architecture = 'arm64', libc = null as string | null } = {},
): Promise<string> {
  const { db, artifacts, now } = conductor.context
  const library = Buffer.from(`library ${version}`)
  const bytes = await packageOf({ library, version, architecture, lies: { libc } })
  const manifest = await asFile(bytes, readManifest)
  const { digest } = await artifacts.put(bytes)
  const row = { digest, name: NAME, bytes: bytes.length, manifest, addedBy: 'test' }
  await runtimePackages.addPackage(db, row, now())
  conductor.poke()
  await conductor.settled()
  if (libraryDigest(manifest) !== digestOf(library)) throw new Error('another library')
  return digest
}

const given = async (device: ScriptedDevice): Promise<OrderOf<'assign'>[]> => device.take('assign')

async function tell(
  device: ScriptedDevice,
  { id: order, model, variant }: OrderOf<'assign'>,
  state: 'active' | 'failed',
): Promise<void> {
  const error = { code: 'library-unusable', message: 'it ended its process' }
  await device.say({
    kind: 'install',
    ...{ order, model, variant, state },
    ...(state === 'failed' && { error }),
  })
}

async function offers({ conductor }: Planner) {
  return await runtimePackages.listOffers(conductor.context.db)
}

t.test('the newest for its machine goes to each device that takes libraries', async (t: Test) => {
  const fleet = await planner(t)
  const takes = await new ScriptedDevice('takes', fleet).join(TAKES)
  const not = await new ScriptedDevice('not', fleet).join()
  const os = { ...hardware.os, libc: 'glibc 2.31' }
  const old = await new ScriptedDevice('old', fleet).join({ ...TAKES, report: { ...hardware, os } })
  const x64 = { ...hardware, architecture: 'x64' }
  const other = await new ScriptedDevice('other', fleet).join({ ...TAKES, report: x64 })
  const first = await added(fleet, '1.0', { libc: 'glibc 2.34' })

  const [order] = await given(takes)
  t.match(order, { model: NAME, variant: first })
  for (const device of [not, old, other]) t.same(await given(device), [], device.id)
  if (!order) return
  t.match(await fleet.assignmentOf(order), { kind: 'runtime', version: '1.0', runtime: 'tflite' })
  await tell(takes, order, 'active')
  t.match(await offers(fleet), [{ device: 'takes', state: 'active' }])
  t.same(await given(takes), [], 'once is enough')

  const second = await added(fleet, '2.0')
  t.match(await given(takes), [{ model: NAME, variant: second }])
  t.match(await given(old), [{ variant: second }])
  const late = await new ScriptedDevice('late', fleet).join(TAKES)
  t.match(await given(late), [{ variant: second }], 'who comes later gets it, too')
})

t.test('what failed on a device is not given again; what it lost is, a few times', async (t) => {
  const fleet = await planner(t)
  const device = await new ScriptedDevice('d1', fleet).join(TAKES)
  await added(fleet, '1.0')
  const [first] = await given(device)
  if (!first) throw new Error('nothing was given')
  await tell(device, first, 'failed')
  t.match(await offers(fleet), [{ state: 'failed', error: /library-unusable: it ended/ }])
  await device.join(TAKES)
  t.same(await given(device), [])

  await added(fleet, '2.0')
  let times = 0
  for (;;) {
    const [order] = await given(device)
    if (!order) break
    times += 1
    await tell(device, order, 'active')
    // It comes back without it.
    await device.join(TAKES)
  }
  t.equal(times, 5)
})

t.test('a package that is removed is withdrawn, and the one before it comes back', async (t) => {
  const fleet = await planner(t)
  const device = await new ScriptedDevice('d1', fleet).join(TAKES)
  const { db, trust } = fleet.conductor.context
  const first = await added(fleet, '1.0')
  const second = await added(fleet, '2.0')
  const counters = async () =>
    (await trust.image.packages(NAME)).map(({ digest, releaseCounter }) => [digest, releaseCounter])
  t.same(
    (await counters()).sort(),
    [
      [first, 2],
      [second, 2],
    ].sort(),
  )
  const orders = await given(device)
  t.match(orders, [{ variant: second }], 'an older order is closed')
  if (orders[0]) await tell(device, orders[0], 'active')

  await runtimePackages.removePackage(db, second)
  await settle(fleet)
  t.same(await counters(), [[first, 3]], 'under a counter that devices may go to')
  t.match(await given(device), [{ variant: first }])
  await runtimePackages.removePackage(db, first)
  await settle(fleet)
  t.same(await counters(), [])
})

t.test('a device that takes libraries no more hears nothing of them', async (t) => {
  const fleet = await planner(t)
  const device = await new ScriptedDevice('d1', fleet).join(TAKES)
  await added(fleet, '1.0')
  const { store } = fleet.conductor
  const targetsIn = async () => {
    const [order] = (await store.pendingOrders('d1')) as OrderOf<'assign'>[]
    const name = Object.keys(order?.offer.director ?? {}).find((file) => /targets/.test(file))
    return Object.keys(JSON.parse(order?.offer.director[name ?? ''] ?? '').signed.targets)
  }
  t.match(await targetsIn(), [/^runtime\.tflite\/[0-9a-f]{64}\.zip$/])
  await device.join()
  t.same(await targetsIn(), [])
})
