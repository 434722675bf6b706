import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { askOn } from '../../../agent/client/ask.ts'
import {
  healthSocketPath,
  ModelLocks,
  ModelObserver,
  watchCurrent,
} from '../../../agent/client/index.ts'
import type { AgentOptions } from '../../../agent/daemon/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { MAX_OBSERVATIONS_BYTES, type ReportOf } from '../../../shared/messages/index.ts'
import { QuantileSketch } from '../../../shared/sketch/index.ts'
import { normalFrom, seededRandom } from '../../../shared/statistics/index.ts'
import { agentOf, driverOf, eventually, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { assignOrder } from '../orders.ts'
import type { PlannerDriver } from '../planner-driver.ts'
import { scoresOf, sketchOfDense } from './sketch-of-dense.ts'

const EXAMPLES = join(process.cwd(), 'agent', 'client', 'examples')
const HOST = { hottestCelsius: 51.5, throttled: 2, availableBytes: 1 << 20 }
const run = promisify(execFile)

t.test('what applications observe is counted, kept and told', async (t) => {
  const { driver, stateDir, variant, sketch } = await deviceOf(t, { observeMs: 400 })
  const observer = new ModelObserver(stateDir, 'motor', { variant })
  const random = seededRandom(3)
  for (let i = 0; i < 60; i += 1)
    observer.observe({ latencyMs: 2 + random(), outputs: { scores: scoresOf(random) } })
  await observer.close()
  const report = await observed(driver)
  t.equal(report.inferences, 60)
  t.equal(report.variant, variant)
  t.equal(report.reference, digestOf(sketch))
  t.equal(QuantileSketch.from(report.latency).count, 60)
  const p50 = QuantileSketch.from(report.latency).quantile(0.5)
  t.ok(p50 > 2.2 && p50 < 2.8, `${p50}`)
  t.same(
    report.channels.map((counts) => counts.reduce((a, b) => a + b, 0)),
    [0, 0, 0, 60, 60, 60, 60],
    'inputs were not asked for yet, and outputs are counted',
  )
  t.match(report.host, { ...HOST, restarts: 0 })
  t.same(report.refused, {})
})

t.test('inputs are told once they are asked for', async (t) => {
  const { driver, stateDir } = await deviceOf(t, { observeMs: 1_000 })
  const observer = new ModelObserver(stateDir, 'motor')
  const random = seededRandom(4)
  let asked = 0
  while (asked < 3) {
    observer.observe({
      latencyMs: 1,
      outputs: { scores: scoresOf(random) },
      inputs: () => {
        asked += 1
        return { x: [normalFrom(random), normalFrom(random), random()] }
      },
    })
    observer.flush()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await observer.close()
  const counted = (channel: number) =>
    driver.reports
      .flatMap((report) => (report.kind === 'observations' ? (report.channels[channel] ?? []) : []))
      .reduce((a, b) => a + b, 0)
  await driver.until(() => counted(0) === 3)
  t.same([0, 1, 2].map(counted), [3, 3, 3], 'each is asked for once')
})

t.test(
  'a window outlives a restart, and one that waits is not followed by a heap of others',
  async (t) => {
    const device = await deviceOf(t, { observeMs: 3_600_000 })
    const { driver, stateDir } = device
    await askOn(healthSocketPath(stateDir), 'observe {"model":"motor","latencyMs":[1,2,3]}')
    await device.agent.close()
    driver.receipts = false
    await agentOf(t, stateDir, driver, { observeMs: 200, readHost: async () => HOST })
    await askOn(healthSocketPath(stateDir), 'observe {"model":"motor","latencyMs":4}')
    const report = await observed(driver)
    t.equal(report.inferences, 4)
    t.equal(report.host.restarts, 1)
    for (let i = 0; i < 5; i += 1) {
      await askOn(healthSocketPath(stateDir), 'observe {"model":"motor","latencyMs":5}')
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
    const told = new Set(driver.reports.filter(isObserved).map(({ id }) => id))
    t.equal(told.size, 1, 'the next one grows until the first is received')
  },
)

t.test('what cannot be counted is said to who said it', async (t) => {
  const { driver, stateDir, variant } = await deviceOf(t, { observeMs: 1_500 })
  const ask = (text: string) => askOn(healthSocketPath(stateDir), `observe ${text}`)
  t.match(await ask('{"model":"motor","latencyMs":NaN}'), { error: /NaN and Infinity.*null/ })
  t.match(await ask('{"model":"motor"'), { error: /no JSON/ })
  t.match(await ask('{"model":"../x"}'), { error: /model/ })
  t.match(await ask('{"model":"nothing","latencyMs":1}'), { error: /nothing is installed/ })
  t.match(await ask(`{"model":"motor","variant":"${'0'.repeat(64)}","latencyMs":1}`), {
    error: new RegExp(`current of motor is ${variant}`),
  })
  t.match(await ask('{"model":"motor","outputs":{"scores":[1,2,3]}}'), {
    error: /has 2 values, not 3: are they of another model/,
  })
  t.match(await ask('{"model":"motor","outputs":{"boxes":[1,2],"scores":[0.5,0.5]}}'), {
    error: /no output "boxes": it has "scores"/,
  })
  t.match(await ask('{"model":"motor","outputs":{"scores":[null,0.5]}}'), { error: /NaN/ })
  t.match(await ask('{"model":"motor","outputs":{"anything":[0.5,0.5]}}'), { counted: 1 })
  t.match(await ask('{"model":"motor","latencyMs":[-1,null]}'), { v: 1 })
  t.match(await ask('{"model":"motor","latencyMs":1e400}'), { error: /latencyMs/ })
  t.match(await ask(`{"model":"motor","latencyMs":${'['.repeat(60)}`), { error: /no JSON/ })
  const report = await observed(driver)
  t.match(report.refused, { 'other-variant': 1, 'wrong-shape': 2, 'not-finite': 3 })
})

t.test('a flood is counted in the same room, and slows down its sender alone', async (t) => {
  const { driver, stateDir } = await deviceOf(t, { observeMs: 2_500 })
  const line = `observe {"model":"motor","latency":{"zeros":0,"first":30,"counts":[1000000]},"outputs":{"scores":[0.5,0.5]}}\n`
  const flood = connect(healthSocketPath(stateDir))
  flood.on('error', () => {})
  flood.on('data', () => {})
  for (let i = 0; i < 3_000; i += 1) flood.write(line)
  t.match(await askOn(healthSocketPath(stateDir), 'observe {"model":"motor","latencyMs":1}'), {
    v: 1,
  })
  const endless = connect(healthSocketPath(stateDir))
  endless.on('error', () => {})
  endless.write('x'.repeat(5 * 1024 * 1024))
  await new Promise((resolve) => endless.once('close', resolve))
  const report = await observed(driver)
  t.ok(report.inferences >= 500e6, `${report.inferences} inferences`)
  t.ok((report.refused['not-looked-into'] ?? 0) > 0)
  t.ok(JSON.stringify(report).length <= MAX_OBSERVATIONS_BYTES)
  flood.destroy()
})

t.test('a subscriber is told before and after a switch', async (t) => {
  const { driver, stateDir, variant } = await deviceOf(t, { observeMs: 3_600_000 })
  const leaving = new AbortController()
  const seen: string[] = []
  const watching = (async () => {
    for await (const { event, current } of watchCurrent(stateDir, 'motor', leaving.signal))
      seen.push(`${event} ${current?.slot.variant ?? 'nothing'}`)
  })()
  await eventually(() => seen.length > 0)
  const lock = await new ModelLocks(stateDir, 'motor').hold(undefined, 'a batch\nis running')
  const artifact = driver.offer(variantOf())
  const next = artifact.digest
  await driver.send('d1', assignOrder({ artifact, counter: 2, releaseCounter: 2 }))
  await driver.report('install', ({ state, variant: of }) => state === 'installed' && of === next)
  const [held] = await new ModelLocks(stateDir, 'motor').described(
    await new ModelLocks(stateDir, 'motor').holders(),
  )
  t.match(held, { reason: 'a batch is running', ageMs: Number })
  t.same(seen, [`current ${variant}`])
  await lock.release()
  await driver.report('install', ({ state, variant: of }) => state === 'active' && of === next)
  await eventually(() => seen.length === 3)
  t.same(seen, [`current ${variant}`, `switching ${variant}`, `current ${next}`])
  leaving.abort()
  await watching
})

t.test('the examples in Python, C and shell', async (t) => {
  const { driver, stateDir } = await deviceOf(t, { observeMs: 1_500 })
  await t.test('Python', { skip: hasNo('python3') }, async (t) => {
    const { stdout } = await run('python3', [join(EXAMPLES, 'observe.py'), stateDir, 'motor', '4'])
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    t.match(answers, new Array(4).fill({ v: 1, counted: 1, inputs: true }))
  })
  await t.test('C', { skip: hasNo('cc') }, async (t) => {
    const binary = join(t.testdir(), 'observe')
    await run('cc', ['-Wall', '-Werror', '-o', binary, join(EXAMPLES, 'observe.c'), '-lm'])
    const { stdout } = await run(binary, [stateDir, 'motor'])
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    t.match(answers, [{ counted: 1 }, { counted: 1 }, { counted: 0, error: /NaN/ }])
    await t.rejects(run(binary, [join(stateDir, 'nowhere'), 'motor']), 'no agent')
  })
  const missing = hasNo('nc') && hasNo('socat')
  await t.test('shell', { skip: missing }, async (t) => {
    const script = join(EXAMPLES, 'observe.sh')
    const { stdout } = await run(script, [stateDir, 'motor', '2.5', 'scores', '0.2,0.8'])
    t.match(JSON.parse(stdout), { v: 1, counted: 1 })
  })
  const report = await observed(driver)
  t.ok(report.inferences > 0)
})

async function deviceOf(t: Test, options: Partial<AgentOptions>) {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const agent = await agentOf(t, stateDir, driver, { readHost: async () => HOST, ...options })
  await driver.until(() => driver.births[0])
  const artifact = driver.offer(variantOf())
  const sketch = sketchOfDense()
  await driver.send('d1', assignOrder({ artifact, sketch: driver.offer(sketch) }))
  await driver.report('install', ({ state }) => state === 'active')
  return { driver, stateDir, agent, variant: artifact.digest, sketch }
}

function observed(driver: PlannerDriver): Promise<ReportOf<'observations'>> {
  return driver.report('observations', () => true)
}

function isObserved(report: { readonly kind: string }): boolean {
  return report.kind === 'observations'
}

function hasNo(program: string): string | false {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const found = folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  return found ? false : `there is no ${program} here`
}
