import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startFleet } from '../../../planner/fleet/start-fleet.ts'
import { blockListOf } from '../../../shared/messages/block-list.ts'
import { BROKERS } from './brokers.ts'
import { SpokenDevice, until } from './devices.ts'
import { MemoryStore } from './memory-store.ts'

const FROZEN = 16
const BLOCKS = 150
const WINDOW = 50

for (const kind of BROKERS) {
  t.test(
    `through ${kind.name}: devices that stop reading hold up nobody`,
    { skip: kind.skip },
    async (t) => {
      const broker = await kind.start(t)
      const store = new MemoryStore()
      // So little for all that the frozen ones alone have used it up.
      const limits = { inflightBytes: 8 * 65_536 }
      const link = await startFleet({
        connection: broker.connection,
        fleet: 'default',
        store,
        limits,
      })
      t.teardown(() => link.close())
      const path = join(t.testdir({}), 'artifact')
      await writeFile(path, randomBytes(BLOCKS * 65_536))
      const { ref } = await blockListOf(path)
      store.files.set(ref.digest, path)

      const devices: SpokenDevice[] = []
      for (let i = 0; i <= FROZEN; i += 1) {
        const device = await SpokenDevice.connect(t, broker.port, `pi-${i}`)
        devices.push(device)
        while (!store.epochs.has(device.name)) {
          await device.sayBirth()
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      }
      const [quick, ...slow] = devices as [SpokenDevice, ...SpokenDevice[]]
      for (const device of slow) {
        device.client.stream.pause()
        for (let from = 0; from < BLOCKS; from += WINDOW) {
          device.client.publish(device.topic('want'), device.wantBytes(ref.digest, windowAt(from)))
        }
      }
      const got = new Set<number>()
      for (let from = 0; got.size < BLOCKS; from = (from + WINDOW) % BLOCKS) {
        const missing = windowAt(from).filter((index) => !got.has(index))
        if (missing.length === 0) continue
        quick.blocks.length = 0
        await quick.want(ref.digest, missing)
        // Through a broker that drops blocks some may be lost: then the next round asks again.
        const asked = Date.now()
        await until(() => quick.blocks.length >= missing.length || Date.now() - asked > 1000)
        for (const { index } of quick.blocks) got.add(index)
      }
      t.equal(got.size, BLOCKS)
      t.ok(
        slow.every(({ blocks }) => blocks.length < BLOCKS),
        'the others were frozen',
      )
    },
  )
}

function windowAt(from: number): number[] {
  return Array.from({ length: Math.min(WINDOW, BLOCKS - from) }, (_, i) => from + i)
}
