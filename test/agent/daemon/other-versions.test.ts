import { appendFileSync, cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { slotSchema } from '../../../agent/artifacts/slot.ts'
import { Slots } from '../../../agent/artifacts/slots.ts'
import { readCurrent } from '../../../agent/client/index.ts'
import { SYSTEM_CLOCK } from '../../../agent/daemon/index.ts'
import { Journal, readJournal } from '../../../agent/daemon/journal/journal.ts'
import { printLine } from '../../../agent/daemon/journal/journal-line.ts'
import { readIdentity, writeIdentity } from '../../../agent/identity/identity-file.ts'
import { DeviceTrust } from '../../../agent/trust/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { NO_FAIL_POINTS } from '../../../shared/fail-points.ts'
import { printTrustPin } from '../../../shared/trust/index.ts'
import { FOLDER } from '../../version-0.1.ts'
import { agentOf, driverOf, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { assignOrder } from '../orders.ts'
import { probeOrder } from '../probe-orders.ts'

const MODEL = 'motor-faults'

/** The state directory that an agent of version 0.1 left, to be written in. */
function oldStateDir(t: Test): string {
  const stateDir = stateDirOf(t)
  cpSync(join(FOLDER, 'agent'), stateDir, { recursive: true, verbatimSymlinks: true })
  return stateDir
}

t.test('what an agent of version 0.1 left is read to its last record', async (t) => {
  const stateDir = oldStateDir(t)
  const journal = new Journal(join(stateDir, 'journal'), NO_FAIL_POINTS)
  t.teardown(() => journal.close())
  t.equal(journal.damagedLines, 0)
  const { current } = await new Slots(join(stateDir, 'slots')).links(MODEL)
  t.match(journal.get('installation', MODEL), {
    step: 'active',
    assignment: { variant: current, class: 'raspberry-pi-4' },
  })
  t.match(journal.get('counter', MODEL), { variant: current })
  t.equal(journal.all('probe').length, 7)
  t.ok(journal.all('probe').every(({ step, answer }) => step === 'measured' && answer !== null))
  t.strictSame(journal.get('run', 'agent'), { clean: true })
  const lines = readFileSync(join(stateDir, 'journal'), 'utf8')
  t.notOk([...readForeign(lines, journal)].length, 'there is no record that we do not know')

  const identity = readIdentity(stateDir)
  t.match(identity, { v: 1, device: 'pump-1', fleet: 'default' })
  const slot = slotSchema.parse(
    JSON.parse(readFileSync(join(stateDir, 'slots', MODEL, 'current', 'slot.json'), 'utf8')),
  )
  t.match(slot, { model: MODEL, variant: current, runtime: 'onnxruntime' })

  const anchor = identity?.trust.replace('sha256:', '') ?? ''
  t.equal(printTrustPin(anchor), identity?.trust)
  const trust = await DeviceTrust.open({
    dir: join(stateDir, 'trust', anchor.slice(0, 16)),
    device: 'pump-1',
    class: null,
    runtimes: ['onnxruntime'],
    anchor,
    clock: SYSTEM_CLOCK,
  })
  t.strictSame(await trust.rootVersions(), { director: 1, image: 1 })
})

t.test('the journal keeps what agents to come wrote, and goes on without it', async (t) => {
  const path = join(oldStateDir(t), 'journal')
  const [probe] = readJournal(path).all('probe')
  const foreign = [
    { kind: 'sketch', key: MODEL, value: { bins: [1, 2, 3] } },
    { kind: 'probe', key: 'p-later', value: { ...probe, step: 'cooling-down' } },
    { kind: 'report', key: 'r-later', value: { v: 1, id: 'r-later', kind: 'telemetry' } },
  ]
  appendFileSync(path, printLine({ v: 1, changes: foreign }))
  appendFileSync(path, printLine({ v: 1, changes: [{ kind: 'counter', key: 'a', value: 7 }] }))
  const journal = new Journal(path, NO_FAIL_POINTS)
  t.equal(journal.damagedLines, 0)
  t.equal(journal.get('probe', 'p-later'), undefined)
  const counter = { model: 'a', counter: 1, variant: digestOf('a') }
  for (let count = 1; count < 4_000; count += 1) {
    journal.commit('run.started', [
      { kind: 'counter', key: 'a', value: { ...counter, counter: count } },
    ])
  }
  journal.commit('run.started', [{ kind: 'probe', key: 'p-later' }])
  journal.close()
  const text = readFileSync(path, 'utf8')
  t.ok(text.length < 400_000, 'it was written anew meanwhile')
  const kept = [foreign[0], foreign[2]].map((change) => printLine({ v: 1, changes: [change] }))
  for (const line of kept) t.ok(text.includes(line), line)
  t.match(readJournal(path).get('counter', 'a'), { counter: 3_999 })
  t.equal(readJournal(path).all('probe').length, 7)
})

t.test('an application of this version finds a model whose runtime came later', async (t) => {
  const stateDir = oldStateDir(t)
  const folder = join(stateDir, 'slots', MODEL, 'current')
  const slot = JSON.parse(readFileSync(join(folder, 'slot.json'), 'utf8'))
  t.equal(await readCurrent(stateDir, MODEL), undefined, 'the fixture has no bytes of a model')
  writeFileSync(
    join(folder, 'slot.json'),
    JSON.stringify({ ...slot, runtime: 'tensorrt', size: 1 }),
  )
  writeFileSync(join(folder, 'model.plan'), 'engine')
  const found = await readCurrent(stateDir, MODEL)
  t.match(found, { file: /model\.plan$/, slot: { runtime: 'tensorrt', variant: slot.variant } })

  const bytes = Buffer.from('engine')
  const variant = digestOf(bytes)
  renameSync(join(stateDir, 'slots', MODEL, slot.variant), join(stateDir, 'slots', MODEL, variant))
  const slots = new Slots(join(stateDir, 'slots'))
  t.ok(await slots.isGood(MODEL, variant), 'its bytes are what counts')
})

t.test('fields that later agents gave an identity outlive a renewal', async (t) => {
  const stateDir = oldStateDir(t)
  const path = join(stateDir, 'identity', 'identity.json')
  const said = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, JSON.stringify({ ...said, hardwareKey: 'tpm:1' }))
  const identity = readIdentity(stateDir)
  if (identity === undefined) throw new Error('no identity')
  await writeIdentity(stateDir, { ...identity, certificate: 'new' })
  t.match(readIdentity(stateDir), { hardwareKey: 'tpm:1', certificate: 'new', key: said.key })
})

t.test('an order of a later kind is answered once for all that it is not understood', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  const agent = await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  const dance = Buffer.from(JSON.stringify({ v: 1, id: 'o-1', kind: 'dance', steps: [1, 2] }))
  await driver.sendRaw('d1', 'orders', dance)
  const { error } = await driver.report('refused', ({ order }) => order === 'o-1')
  t.match(error, { code: 'unknown-order', message: /kind dance: update it/ })
  t.ok(driver.reports.some((report) => report.kind === 'ack' && report.order === 'o-1'))
  await agent.close()

  await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births.length === 2)
  await driver.sendRaw('d1', 'orders', dance)
  const answers = () => driver.reports.filter((report) => report.kind === 'refused')
  await driver.until(() => answers().length === 2)
  t.match(answers()[1], { order: 'o-1', error })
})

t.test('what needs a runtime that came later is refused for that', async (t) => {
  const driver = await driverOf(t)
  await agentOf(t, stateDirOf(t), driver)
  await driver.until(() => driver.births[0])
  const bytes = variantOf()
  const probe = await probeOrder(driver, bytes, { runtime: 'tensorrt' })
  await driver.send('d1', probe)
  const { result } = await driver.report('probe', ({ order }) => order === probe.id)
  t.match(result, { outcome: 'failed', error: { code: 'wrong-runtime', message: /tensorrt/ } })

  // What the compiler does not let a planner of this version say.
  const runtime = 'tensorrt' as 'litert'
  const order = assignOrder({ artifact: driver.offer(bytes), runtime })
  await driver.send('d1', order)
  const refused = await driver.report('install', (report) => report.order === order.id)
  t.match(refused, { state: 'refused', error: { code: 'wrong-class', message: /tensorrt/ } })
})

t.test('a scheme that came later is installed like any other', async (t) => {
  const driver = await driverOf(t)
  await agentOf(t, stateDirOf(t), driver)
  await driver.until(() => driver.births[0])
  const scheme = 'static-w2a2-sparse'
  const order = assignOrder({ artifact: driver.offer(variantOf()), scheme, model: 'belt' })
  await driver.send('d1', order)
  const { state } = await driver.report('install', (report) => ENDS.has(report.state))
  t.equal(state, 'active')
})

const ENDS: ReadonlySet<string> = new Set(['active', 'refused', 'failed'])

/** Records of the text whose kind and key the journal has nothing under, though they were not dropped. */
function* readForeign(text: string, journal: Journal): Generator<string> {
  const last = new Map<string, boolean>()
  for (const line of text.trimEnd().split('\n')) {
    for (const { kind, key, value } of JSON.parse(line.slice(9)).changes) {
      last.set(`${kind} ${key}`, value !== undefined)
    }
  }
  for (const [place, isThere] of last) {
    const [kind = '', key = ''] = place.split(' ')
    if (isThere && !journal.keys(kind as 'run').includes(key)) yield place
  }
}
