import { join } from 'node:path'
import t from 'tap'
import { DeviceTrust } from '../../../agent/trust/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { anchorDigest, parseShipment, type ShippedVariant } from '../../../shared/trust/index.ts'
import { openAuthority, publish, replaced, TestClock } from '../../agent/trust/forge.ts'

const DAY_MS = 86_400_000
const CLASS = 'pi4'

function variantNamed(name: string, releaseCounter = 1): ShippedVariant {
  return {
    ...{ model: 'ic01', runtime: 'litert', scheme: 'static-w8a8', releaseCounter, revision: 1 },
    ...{ digest: digestOf(name), bytes: 10, blockList: digestOf(`${name} blocks`), selfTest: null },
    engine: { runtime: 'litert', accelerator: null, threads: 2 },
  }
}

/** A planner that released these, and a device of a class that was told its anchor and nothing else. */
async function sceneOf(
  dir: string,
  released: readonly ShippedVariant[],
  deviceClass: string | null = CLASS,
) {
  const clock = new TestClock()
  const authority = await openAuthority(join(dir, 'planner'), clock)
  const release = async (all: readonly ShippedVariant[]) => {
    const described = all.map(({ engine: _, ...one }) => ({
      ...one,
      runtime: 'litert' as const,
      classes: [CLASS],
    }))
    await publish(authority, await authority.release({ ic01: described }))
  }
  await release(released)
  const device = await DeviceTrust.open({
    dir: join(dir, 'device'),
    device: 'dev1',
    class: deviceClass,
    runtimes: ['litert'],
    anchor: anchorDigest(await authority.anchor()),
    clock,
  })
  return { authority, device, clock, release }
}

t.test(
  'what was released and is shipped to the class is believed, and travels as text',
  async (t) => {
    const one = variantNamed('one')
    const { authority, device } = await sceneOf(t.testdir(), [one])
    const shipment = await authority.ship({ class: CLASS, variants: [one] })
    const read = parseShipment(Buffer.from(JSON.stringify(shipment)))
    t.match(await device.verifyShipment(read), [
      { device: 'dev1', model: 'ic01', variant: one.digest, class: CLASS, engine: { threads: 2 } },
    ])
    t.throws(() => parseShipment(Buffer.from('{}')), { code: 'malformed-metadata' })
    t.throws(() => parseShipment(Buffer.alloc(5 * 2 ** 20)), { code: 'endless-data' })
  },
)

t.test(
  'a shipment of another class, of what was never released, or changed is believed by nobody',
  async (t) => {
    const one = variantNamed('one')
    const { authority, device } = await sceneOf(t.testdir(), [one])
    const shipment = await authority.ship({ class: CLASS, variants: [one] })
    const { payload } = shipment.vouched
    const changed = { ...shipment.vouched, payload: payload.replace('"threads":2', '"threads":8') }
    await t.rejects(device.verifyShipment({ ...shipment, vouched: changed }), {
      code: 'arbitrary-software',
    })
    const unsigned = { ...shipment.vouched, signatures: [] }
    await t.rejects(device.verifyShipment({ ...shipment, vouched: unsigned }), {
      code: 'arbitrary-software',
    })
    const other = await authority.ship({ class: 'jetson', variants: [one] })
    await t.rejects(device.verifyShipment(other), { code: 'wrong-class' })
    const never = await authority.ship({ class: CLASS, variants: [variantNamed('never')] })
    await t.rejects(device.verifyShipment(never), { code: 'online-key-compromise' })
    const twice = await authority.ship({ class: CLASS, variants: [one, one] })
    await t.rejects(device.verifyShipment(twice), { code: 'mix-and-match' })
  },
)

t.test('it expires, and an older release does not come back', async (t) => {
  const one = variantNamed('one')
  const { authority, device, clock, release } = await sceneOf(t.testdir(), [one])
  const first = await authority.ship({ class: CLASS, variants: [one] })
  const [believed] = await device.verifyShipment(first)
  const next = variantNamed('next', 2)
  await release([next])
  const second = await authority.ship({ class: CLASS, variants: [next] })
  const [newer] = await device.verifyShipment(second)
  if (newer) await device.installed({ ...newer, counter: 1 })
  await t.rejects(device.verifyShipment(first), { code: 'rollback' }, `not ${believed?.variant}`)
  clock.pass(8 * DAY_MS)
  await t.rejects(device.verifyShipment(second), {
    code: 'freeze',
    message: /bridge hawkbit again/,
  })
  await device.verifyShipment(await authority.ship({ class: CLASS, variants: [next] }))
})

t.test('a director’s key that was replaced ships nothing any more', async (t) => {
  const one = variantNamed('one')
  const { authority, device } = await sceneOf(t.testdir(), [one], null)
  const old = await authority.ship({ class: CLASS, variants: [one] })
  const change = await replaced(authority, 'director')
  const roles = { timestamp: change, snapshot: change, targets: change }
  await publish(authority, await authority.rotate('director', roles))
  await device.verifyShipment(await authority.ship({ class: CLASS, variants: [one] }))
  await t.rejects(device.verifyShipment(old), { code: 'arbitrary-software' })
})
