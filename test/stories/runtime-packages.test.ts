import { once } from 'node:events'
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installedPackages } from '../../agent/runtimes/index.ts'
import { connectPlanner, type PackageView } from '../../planner/api/index.ts'
import { loadRuntime } from '../../shared/runtime/index.ts'
import { lacks, nativePath } from '../native/runtimes.ts'
import { fitment } from './command-line.ts'
import { Running, until } from './running.ts'

/**
 * A runtime goes from the operator's hand to a device that has nothing but Node: real commands, a real broker, real
 * agents; the one that unpacks is killed in the middle.
 */
t.setTimeout(240_000)

t.test(
  'a wheel reaches the devices that take libraries, whole or not at all',
  {
    skip: lacks('litertWheel') || lacks('tflite'),
  },
  async (t) => {
    const dir = t.testdir({ 'no.whl': 'no wheel' })
    const data = join(dir, 'planner')
    const here = ['--data', data]
    const planner = connectPlanner(data)
    const running = new Running(t)
    const to = await running.serve(data, '--port', '0')
    const takes = { FITMENT_ACCEPT_RUNTIMES: '1' }
    const stateDir = join(dir, 'press')
    const dying = running.agent('press', stateDir, to, [], {
      ...takes,
      FITMENT_FAIL_POINT: 'slot.unpacked',
    })
    const died = once(dying, 'close')
    running.agent('other', join(dir, 'other'), to)
    await until('two devices', async () =>
      (await planner.call('devices.list', {})).length === 2 ? true : undefined,
    )

    t.match(await fitment('runtimes', 'list', ...here), { code: 0, out: /no runtime is stored/ })
    t.match(await fitment('runtimes', 'add', join(dir, 'no.whl'), ...here), {
      code: 1,
      err: /error \[no-runtime\]: no\.whl is neither a wheel nor a shared library/,
    })
    writeFileSync(join(dir, 'fake'), 'PK')
    const digest = await planner.upload(join(dir, 'fake'))
    await t.rejects(planner.call('runtimes.add', { source: { digest, name: 'fake' } }), {
      message: /fake is no package of a runtime/,
    })

    const added = await fitment('runtimes', 'add', nativePath('litertWheel'), ...here)
    t.match(added, {
      code: 0,
      out: /^tflite 2\.3\.0 for x64 stored: .*1 license file; 1 device gets it/,
    })
    const again = await fitment('runtimes', 'add', nativePath('litertWheel'), ...here)
    t.match(again, { code: 0, out: /is stored already/ })

    const [, signal] = (await died) as [number | null, string | null]
    t.equal(signal, 'SIGKILL', 'killed with one file unpacked')
    const slots = join(stateDir, 'slots', 'runtime.tflite')
    t.notOk(existsSync(join(slots, 'current')))
    t.same(await installedPackages(stateDir), [], 'half a package is none')
    running.agent('press', stateDir, to, [], takes)
    const stored = await until('the library on the device', async () => {
      const [one] = await planner.call('runtimes.list', {})
      return one?.devices.have.includes('press') ? one : undefined
    })
    t.same(stored.devices, { have: ['press'], due: [], failed: [] }, 'nobody else was given it')
    t.equal(readlinkSync(join(slots, 'current')), stored.digest)

    const [installed] = await installedPackages(stateDir)
    t.match(installed, { runtime: 'tflite', version: '2.3.0', digest: stored.library })
    const runtime = await loadRuntime('tflite', { library: installed?.library ?? '' })
    t.match(runtime, { version: '2.3.0', library: { digest: stored.library } })
    for (const license of stored.licenses) {
      t.match(readFileSync(join(slots, 'current', license), 'utf8'), /Apache License/)
    }
    t.notOk(existsSync(join(dir, 'other', 'slots', 'runtime.tflite')))

    // A newer one takes its place, and the one before is kept to go back to; removed, it is withdrawn.
    const so = ['runtimes', 'add', nativePath('tflite'), '--version', '2.9.0', ...here]
    const next = JSON.parse((await fitment(...so, '--json')).out) as { package: PackageView }
    const has = (package_: string) =>
      until(`${package_} on the device`, async () => {
        const all = await planner.call('runtimes.list', {})
        const found = all.find((each) => each.digest === package_)
        return found?.devices.have.includes('press') ? found : undefined
      })
    await has(next.package.digest)
    t.equal(readlinkSync(join(slots, 'previous')), stored.digest)
    const removed = await fitment('runtimes', 'remove', next.package.digest.slice(0, 12), ...here)
    t.match(removed, { code: 0, out: /tflite 2\.9\.0 for x64 is offered no longer/ })
    await has(stored.digest)
    t.match(await installedPackages(stateDir), [{ version: '2.3.0' }])
    await running.stop()
  },
)
