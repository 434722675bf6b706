/** What a device does with a package of a runtime: sound ones, others, and what becomes unusable later. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { installedPackages } from '../../../../agent/runtimes/index.ts'
import { digestOf } from '../../../../shared/digest.ts'
import type { ReportOf } from '../../../../shared/messages/index.ts'
import { lacks, nativePath } from '../../../native/runtimes.ts'
import { agentOf, driverOf, stateDirOf } from '../../device.ts'
import { assignOrder, type PackageDraft as OrderDraft, packageOrder } from '../../orders.ts'
import { type PackageDraft, packageOf } from '../../packages.ts'
import type { PlannerDriver } from '../../planner-driver.ts'

const TAKES = { acceptsRuntimes: true }
const skip = lacks('tflite')
const sound = () => readFileSync(nativePath('tflite'))

/** Ends every process that maps it. */
function crashing(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'fit-'))
  try {
    const source = '#include <stdlib.h>\n__attribute__((constructor)) void start(void) { abort(); }'
    writeFileSync(join(folder, 'crash.c'), source)
    const out = join(folder, 'crash.so')
    execFileSync('cc', ['-shared', '-fPIC', '-o', out, join(folder, 'crash.c')])
    return readFileSync(out)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

let counter = 0

/** Orders it and answers the end that the device tells. */
async function give(
  driver: PlannerDriver,
  bytes: Buffer,
  draft: Partial<OrderDraft> = {},
): Promise<ReportOf<'install'>> {
  counter += 1
  const order = packageOrder({ artifact: driver.offer(bytes), counter, ...draft })
  await driver.send('d1', order)
  const ends = ['active', 'rolled-back', 'refused', 'failed']
  return await driver.report(
    'install',
    (said) => said.order === order.id && ends.includes(said.state),
  )
}

async function taking(t: Test) {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const agent = await agentOf(t, stateDir, driver, TAKES)
  await driver.until(() => driver.births[0])
  return { driver, stateDir, agent }
}

const slotsIn = (stateDir: string) => {
  const folder = join(stateDir, 'slots', 'runtime.tflite')
  return existsSync(folder) ? readdirSync(folder).sort() : []
}

t.test('a device that did not ask for libraries takes none', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  await agentOf(t, stateDir, driver)
  const birth = await driver.until(() => driver.births[0])
  t.notOk(birth.acceptsRuntimes)
  const bytes = await packageOf({ library: Buffer.from('any') })
  t.match(await give(driver, bytes), {
    state: 'refused',
    error: { code: 'runtimes-not-accepted', message: /without --accept-runtimes/ },
  })
  t.same(slotsIn(stateDir), [])
})

t.test(
  'a sound one is opened, run and told at a new birth; a newer one keeps the way back',
  {
    skip,
  },
  async (t) => {
    const { driver, stateDir, agent } = await taking(t)
    t.equal(driver.births[0]?.acceptsRuntimes, true)
    const first = await packageOf({ library: sound() })
    t.match(await give(driver, first), { state: 'active' })
    const slot = { model: 'runtime.tflite', variant: digestOf(first), active: true }
    await driver.until(() =>
      driver.births.at(-1)?.slots.some((one) => one.variant === slot.variant),
    )
    t.match(driver.births.at(-1)?.slots, [slot])
    const [installed] = await installedPackages(stateDir)
    t.match(installed, { runtime: 'tflite', version: '1.0', digest: digestOf(sound()) })
    t.ok(readFileSync(installed?.library ?? '').equals(sound()))
    const folder = join(stateDir, 'slots/runtime.tflite/current')
    t.equal(readFileSync(join(folder, 'licenses/LICENSE'), 'utf8'), 'Apache License')

    const second = await packageOf({ library: sound(), version: '2.0' })
    t.match(await give(driver, second, { version: '2.0' }), { state: 'active' })
    t.match(await installedPackages(stateDir), [{ version: '2.0' }])
    await agent.idle()
    t.same(slotsIn(stateDir), [digestOf(first), digestOf(second), 'current', 'previous'].sort())

    // The system changes under it: the library, as it lies there, cannot be opened any more.
    await agent.close()
    const crash = crashing()
    const present = join(stateDir, 'slots/runtime.tflite', digestOf(second))
    writeFileSync(join(present, 'lib/libtensorflowlite_c.so'), crash)
    const text = readFileSync(join(present, 'runtime.json'), 'utf8')
    const manifest = text.replace(digestOf(sound()), digestOf(crash))
    writeFileSync(join(present, 'runtime.json'), manifest)
    await agentOf(t, stateDir, driver, TAKES)
    const health = await driver.report('health', ({ model }) => model === 'runtime.tflite')
    t.match(health, {
      variant: digestOf(first),
      healthy: true,
      detail: /cannot be opened: .*ended its process \(SIGABRT\).*; went back to/,
    })
    t.match(await installedPackages(stateDir), [{ version: '1.0' }])
    t.match(await give(driver, second, { version: '2.0' }), {
      state: 'refused',
      error: { code: 'quarantined' },
    })
  },
)

interface Unfit {
  readonly name: string
  readonly draft: () => PackageDraft
  readonly order?: Partial<OrderDraft>
  readonly spoil?: (bytes: Buffer) => Buffer
  readonly end: { readonly state: string; readonly error: { code: string; message: RegExp } }
}

const UNFIT: readonly Unfit[] = [
  {
    name: 'no archive',
    draft: () => ({ library: Buffer.from('x') }),
    spoil: () => Buffer.from('text'),
    end: { state: 'failed', error: { code: 'no-package', message: /no archive/ } },
  },
  {
    name: 'a flipped bit inside, signed as it is',
    draft: () => ({ library: Buffer.alloc(5000, 'library') }),
    spoil(bytes) {
      const at = bytes.indexOf('lib/libtensorflowlite_c.so') + 30
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
      return bytes
    },
    end: { state: 'failed', error: { code: 'damaged-package', message: /damaged|digest/ } },
  },
  {
    name: 'a manifest that leads out of the slot',
    draft: () => ({
      library: Buffer.from('x'),
      lies: {
        library: '../../lib.so',
        files: [{ path: '../../lib.so', bytes: 1, digest: 'a'.repeat(64) }],
      },
    }),
    end: { state: 'failed', error: { code: 'no-package', message: /runtime\.json is none/ } },
  },
  {
    name: 'files that the manifest does not name',
    draft: () => ({
      library: Buffer.from('x'),
      lies: {
        licenses: [],
        files: [{ path: 'lib/libtensorflowlite_c.so', bytes: 1, digest: digestOf('x') }],
      },
    }),
    end: { state: 'failed', error: { code: 'damaged-package', message: /not those/ } },
  },
  {
    name: 'another version than was signed',
    draft: () => ({ library: Buffer.from('x'), version: '0.9' }),
    end: {
      state: 'failed',
      error: { code: 'other-package', message: /version 0\.9.*signed as 1\.0/ },
    },
  },
  {
    name: 'another machine, as it is signed',
    draft: () => ({ library: Buffer.from('x'), architecture: 'riscv64' }),
    order: { architecture: 'riscv64' },
    end: {
      state: 'refused',
      error: { code: 'wrong-class', message: /for riscv64, but this device/ },
    },
  },
  {
    name: 'another machine, as its library says',
    draft() {
      const library = crashing()
      library.writeUInt16LE(243, 18)
      return { library }
    },
    end: { state: 'failed', error: { code: 'library-unusable', message: /for riscv64/ } },
  },
  {
    name: 'a library that crashes',
    draft: () => ({ library: crashing() }),
    end: { state: 'failed', error: { code: 'library-unusable', message: /SIGABRT/ } },
  },
]

t.test('what is unfit is never switched to, and the fleet hears why', async (t) => {
  const { driver, stateDir, agent } = await taking(t)
  for (const { name, draft, order, spoil, end } of UNFIT) {
    const made = await packageOf(draft())
    t.match(await give(driver, spoil ? spoil(made) : made, order), end, name)
    await agent.idle()
    t.same(slotsIn(stateDir), [], `${name}: nothing is left of it`)
  }
  t.same(await installedPackages(stateDir), [])
})

t.test(
  'bytes that change on the way are asked for again until they are right',
  { skip },
  async (t) => {
    const { driver, stateDir } = await taking(t)
    const bytes = await packageOf({ library: sound() })
    let left = 3
    driver.interfere = (artifact, _index, frame) => {
      if (artifact !== digestOf(bytes) || left-- <= 0) return [frame]
      return [Buffer.concat([frame.subarray(0, -1), Buffer.of(0)])]
    }
    t.match(await give(driver, bytes), { state: 'active' })
    t.match(await installedPackages(stateDir), [{ version: '1.0' }])
  },
)

t.test('no room for what it unpacks to', { skip }, async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  await agentOf(t, stateDir, driver, { ...TAKES, storageLimitBytes: 3 * 2 ** 20 })
  await driver.until(() => driver.births[0])
  t.match(await give(driver, await packageOf({ library: sound() })), {
    state: 'failed',
    error: { code: 'storage-full' },
  })
  t.same(slotsIn(stateDir), [])
})

t.test('neither passes for the other', async (t) => {
  const { driver, stateDir } = await taking(t)
  const artifact = driver.offer(await packageOf({ library: Buffer.from('x') }))
  const asModel = assignOrder({
    artifact,
    model: 'runtime.tflite',
    runtime: 'litert',
    counter: 900,
  })
  await driver.send('d1', asModel)
  const isOf = (id: string) => (said: ReportOf<'install'>) =>
    said.order === id && said.state === 'refused'
  t.match(await driver.report('install', isOf(asModel.id)), {
    error: { code: 'mix-and-match', message: /a model under the name of a runtime/ },
  })
  const asRuntime = packageOrder({ artifact, model: 'motor', counter: 901 })
  await driver.send('d1', asRuntime)
  t.match(await driver.report('install', isOf(asRuntime.id)), {
    error: { code: 'mix-and-match', message: /does not name the runtime/ },
  })
  t.same(slotsIn(stateDir), [])
})
