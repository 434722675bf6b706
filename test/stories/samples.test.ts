import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installedModelSchema } from '../../agent/artifacts/index.ts'
import { ModelObserver } from '../../agent/client/index.ts'
import { connectPlanner } from '../../planner/api/index.ts'
import { readArrays, readDataset } from '../../shared/dataset/index.ts'
import { stateDirOf } from '../agent/device.ts'
import { fewSamples, SMALL_MODEL } from '../planner/variants/small-model.ts'
import { fitment } from './command-line.ts'
import { Running, until } from './running.ts'

/**
 * Inferences of which the model is unsure, from applications on three devices to a file for labelling: planner, broker and
 * agents are real, and the planner is killed meanwhile.
 */
t.setTimeout(900_000)

/** An application whose model does not know what it sees. */
class Unsure {
  readonly #observer: ModelObserver
  readonly #timer: NodeJS.Timeout
  readonly #inputs: Readonly<Record<string, readonly number[]>>
  #seen = 0

  constructor(stateDir: string) {
    const file = join(stateDir, 'slots', 'motor', 'current', 'model.json')
    const { variant, inputs, outputs } = installedModelSchema.parse(
      JSON.parse(readFileSync(file, 'utf8')),
    )
    const ports = (ends: typeof inputs, of: (length: number) => number[]) =>
      Object.fromEntries((ends ?? []).map(({ name, shape }) => [name, of(elementsOf(shape))]))
    this.#inputs = ports(inputs, (length) => new Array(length).fill(0.25))
    const unsure = ports(outputs, (length) => new Array(length).fill(1 / length))
    this.#observer = new ModelObserver(stateDir, 'motor', { variant })
    this.#timer = setInterval(() => {
      this.#seen += 1
      const inputs = Object.fromEntries(
        Object.entries(this.#inputs).map(([name, values]) => [
          name,
          [this.#seen, ...values.slice(1)],
        ]),
      )
      this.#observer.observe({ latencyMs: 3, outputs: unsure, inputs: () => inputs })
    }, 100)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#observer.close()
  }
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * Math.abs(dim), 1)
}

t.test('from an unsure model to a file for labels', async (t) => {
  const dir = t.testdir({})
  const data = join(dir, 'planner')
  const here = ['--data', data]
  const planner = connectPlanner(data)
  const running = new Running(t)
  const { child, ...address } = await running.serve(data, '--port', '0', '--probe-ms', '200')
  const { port } = new URL(address.broker)
  // Short: a socket's path has room for 107 bytes.
  const folders = { told: stateDirOf(t), local: stateDirOf(t), silent: stateDirOf(t) }
  const flags = ['--threads', '1', '--runtimes', 'litert', '--observe-seconds', '4']
  running.agent('told', folders.told, address, [...flags, '--capture', '1MB', '--labels', 'site=a'])
  running.agent('local', folders.local, address, [...flags, '--capture', '1MB,local'])
  running.agent('silent', folders.silent, address, [...flags, '--labels', 'site=b'])
  const calibration = join(dir, 'c.npz')
  const test = join(dir, 't.npz')
  writeFileSync(calibration, await fewSamples('calibration', 16))
  writeFileSync(test, await fewSamples('test', 60))
  await until('three devices', async () =>
    (await planner.call('devices.list', {})).filter(({ online }) => online).length === 3
      ? true
      : undefined,
  )
  const samples = ['--calibration', calibration, '--test', test]
  const limits = ['--max-accuracy-drop', '5', '--max-bytes', '70KB']
  const added = await fitment(
    'models',
    'add',
    'motor',
    '--model',
    SMALL_MODEL,
    ...samples,
    ...limits,
    ...here,
  )
  t.equal(added.code, 0, added.err)
  t.match(await fitment('samples', 'list', 'motor', ...here), { code: 0, out: /no sample is here/ })
  t.match(await fitment('samples', 'pull', 'motor', '-o', join(dir, 'x.npz'), ...here), {
    code: 2,
    err: /no sample of motor is here/,
  })
  const first = await fitment(
    'rollout',
    'start',
    'motor',
    '--waves',
    '100%',
    '--accept-noise',
    '--wait',
    ...here,
  )
  t.equal(first.code, 0, first.out + first.err)

  const applications = Object.values(folders).map((folder) => new Unsure(folder))
  t.teardown(() => Promise.all(applications.map((one) => one.stop())))
  const collected = async () => (await planner.call('samples.list', {})).rows
  await until('a sample', async () => ((await collected())[0]?.samples ?? 0) >= 1 || undefined)
  child.kill('SIGKILL')
  await once(child, 'close')
  const keptBy = (folder: string) =>
    existsSync(join(folder, 'captured')) ? readdirSync(join(folder, 'captured', 'motor')).length : 0
  const before = keptBy(folders.told)
  await until('a sample without a planner', async () => keptBy(folders.told) > before || undefined)
  await running.serve(data, '--port', port, '--probe-ms', '200')
  await until(
    'the rest of them',
    async () => ((await collected())[0]?.samples ?? 0) >= 3 || undefined,
  )

  const rows = await collected()
  t.match(rows, [
    { model: 'motor', revision: 1, device: 'told', reasons: { 'low-confidence': Number } },
  ])
  t.equal(rows.length, 1, 'nobody else’s')
  t.ok(keptBy(folders.local) >= 2, 'for this device alone')
  t.equal(keptBy(folders.silent), 0)
  t.match(await fitment('samples', 'list', '--where', 'site=a', ...here), {
    code: 0,
    out: /MODEL +REV +DEVICE +SAMPLES[\s\S]*motor +1 +told +\d+ .*low-confidence[\s\S]*of 1\.0 GiB are used/,
  })
  t.match((await fitment('samples', 'list', '--where', 'site=b', ...here)).out, /no sample is here/)
  t.match(await fitment('samples', 'list', '--where', 'site=c', ...here), {
    code: 1,
    err: /matches-nobody/,
  })

  const file = join(dir, 'strange.npz')
  const pulled = await fitment(
    'samples',
    'pull',
    'motor',
    '-o',
    file,
    '--device',
    'told',
    '--since',
    '1h',
    ...here,
  )
  t.match(pulled, { code: 0, out: /strange\.npz: \d+ samples of 1 devices/ })
  const arrays = await readArrays(file)
  const x = arrays.get('x')
  const count = x?.shape[0] ?? 0
  t.ok(count >= 3)
  t.same(arrays.get('outputs')?.shape[0], count)
  t.same(arrays.get('time')?.shape, [count])
  const width = x?.shape[1] ?? 0
  const firsts = Array.from({ length: count }, (_, i) => Number(x?.data[i * width]))
  t.equal(new Set(firsts).size, count, 'each once, and none twice')
  t.same(
    [...firsts].sort((a, b) => a - b),
    firsts,
    'in their order',
  )
  t.equal((await readDataset(file)).samples, count)
  t.match(await fitment('samples', 'pull', 'motor', '-o', dir, ...here), {
    code: 2,
    err: /is a folder/,
  })
  t.match(await fitment('samples', 'pull', 'motor', '-o', file, '--since', 'soon', ...here), {
    code: 2,
    err: /is no time/,
  })
  const done = await planner.call('audit.list', { subject: 'motor' })
  t.match(
    done.find(({ action }) => action === 'samples.read'),
    { detail: { device: 'told' } },
  )

  const told = await until('health of a site', async () => {
    const health = await fitment('health', 'motor', '--where', 'site=a', ...here)
    return /told/.test(health.out) ? health : undefined
  })
  t.notMatch(told.out, /silent|local/)
  t.match(await fitment('health', 'motor', '--where', 'site=c', ...here), {
    code: 1,
    err: /matches-nobody.*of site there are a, b/,
  })
  await Promise.all(applications.map((one) => one.stop()))
  await running.stop()
})
