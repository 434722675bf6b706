import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { connectPlanner, socketPath, startApi } from '../../../planner/api/index.ts'
import { DEFAULT_GATE, parseWaves } from '../../../planner/rollout/index.ts'
import { models, variants } from '../../../planner/storage/index.ts'
import { formatNpz, readDataset } from '../../../shared/dataset/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import { chosenModel } from '../conductor/chosen-model.ts'
import { openPlanner, ScriptedDevice, settle } from '../conductor/scripted-fleet.ts'
import { newModel } from '../storage/sample.ts'
import { SMALL_MODEL } from '../variants/small-model.ts'

const INFO = {
  version: '0.1.0',
  fleet: 'default',
  broker: 'mqtt://127.0.0.1:1883',
  database: 'fitment.db',
  trust: 'sha256:x',
}

async function running(t: Test) {
  const data = t.testdir({})
  const planner = await openPlanner(data)
  t.teardown(planner.close)
  const { conductor } = planner
  const socket = socketPath(data)
  const api = await startApi({ conductor, info: INFO, socket, log: pino({ level: 'silent' }) })
  t.teardown(api.close)
  return { data, planner, socket, client: connectPlanner(data) }
}

const start = {
  model: 'motor',
  waves: [...parseWaves('1,100%')],
  gate: DEFAULT_GATE,
  approval: false,
  revert: false,
  wait: false,
}

t.test('nobody there: the line says what to start', async (t) => {
  const data = t.testdir({})
  await t.rejects(connectPlanner(data).call('devices.list', {}), {
    code: 'no-planner',
    message: `no planner runs on ${data}: start one with fitment serve --data ${data}`,
  })
})

t.test('the socket is its owner’s; one left by a killed planner does not block', async (t) => {
  const { socket, client, planner } = await running(t)
  t.equal(statSync(socket).mode & 0o777, 0o600)
  t.same(await client.call('planner.info', {}), INFO)
  const second = await startApi({
    conductor: planner.conductor,
    info: { ...INFO, fleet: 'second' },
    socket,
    log: pino({ level: 'silent' }),
  })
  t.match(await client.call('planner.info', {}), { fleet: 'second' })
  await second.close()
})

t.test(
  'a data directory too deep for a socket has one elsewhere, of this user alone',
  async (t) => {
    const deep = join(t.testdir({}), 'd'.repeat(120))
    const path = socketPath(deep)
    t.ok(Buffer.byteLength(path) <= 107)
    t.equal(socketPath(deep), path)
    t.not(socketPath(`${deep}x`), path)
  },
)

t.test('uploads are artifacts', async (t) => {
  const { data, client, planner } = await running(t)
  const file = join(data, 'some.bin')
  const bytes = Buffer.alloc(3_000_000, 'fitment')
  writeFileSync(file, bytes)
  t.equal(await client.upload(file), digestOf(bytes))
  t.ok(await planner.conductor.context.artifacts.has(digestOf(bytes)))
  await t.rejects(client.upload(join(data, 'absent')), {
    code: 'usage',
    message: /there is no such file/,
  })
  await t.rejects(client.upload(data), { code: 'usage', message: /it is a folder/ })
})

t.test(
  'a model that cannot be used is refused in the user’s words, and nothing is registered',
  async (t) => {
    const { data, client } = await running(t)
    const upload = async (name: string, bytes: Uint8Array) => {
      writeFileSync(join(data, name), bytes)
      return { digest: await client.upload(join(data, name)), name }
    }
    const samples = await readDataset(
      join(process.cwd(), 'planner/demo/motor-faults/calibration.npz'),
    )
    const [[, x]] = [...samples.inputs] as [[string, Tensor]]
    const nan = {
      ...x,
      type: 'float32',
      data: new Float32Array(x.data.length).fill(Number.NaN),
    } as const
    const model = await upload('motor.tflite', readFileSync(SMALL_MODEL))
    const poisoned = await upload('poisoned.npz', formatNpz(new Map([['x', nan]])))
    const add = (over: object) =>
      client.call('models.add', {
        name: 'motor',
        source: model,
        calibration: poisoned,
        test: null,
        objective: 'latency',
        constraints: {
          maxAccuracyDrop: 0.01,
          maxLatencyMs: null,
          maxMemoryBytes: null,
          maxBytes: null,
        },
        ...over,
      })
    await t.rejects(add({}), {
      code: 'not-finite',
      message: /^poisoned.npz: "x" holds NaN in sample 0/,
    })
    await t.rejects(add({ source: poisoned, calibration: null }), {
      message: /^poisoned.npz is not a model/,
    })
    await t.rejects(add({ calibration: null }), { message: /neither calibration nor test data/ })
    await t.rejects(add({ test: { digest: 'f'.repeat(64), name: 'gone' } }), {
      code: 'unknown-artifact',
    })
    t.same(await client.call('models.list', {}), [])
  },
)

t.test('devices, classes and why', async (t) => {
  const { planner, client } = await running(t)
  t.same(await client.call('devices.list', {}), [])
  await new ScriptedDevice('d0', planner).join()
  t.match(await client.call('devices.list', {}), [
    { id: 'd0', online: true, class: 'raspberry-pi-4', emulated: true, board: /Raspberry Pi 4/ },
  ])
  const one = await client.call('devices.show', { device: 'd0' })
  t.ok(
    one.reasons.some((reason) => /device tree says/.test(reason)),
    `${one.reasons}`,
  )
  t.match(await client.call('classes.list', {}), [{ id: 'raspberry-pi-4', devices: 1, online: 1 }])
  t.match(await client.call('classes.show', { class: 'raspberry-pi-4' }), {
    members: [{ device: 'd0' }],
  })
  await planner.conductor.store.recordGarbage('d0', 'reports', 'not-json: no JSON')
  t.match(await client.call('devices.list', {}), [
    { garbage: 1, garbageNote: 'reports: not-json: no JSON' },
  ])
  await t.rejects(client.call('devices.show', { device: 'nobody' }), { code: 'unknown-device' })
  await t.rejects(client.call('classes.show', { class: 'nothing' }), { code: 'unknown-class' })
})

t.test('a rollout by operator’s commands, each in the audit log', async (t) => {
  const { planner, client } = await running(t)
  const a = await new ScriptedDevice('d0', planner).join()
  const b = await new ScriptedDevice('d1', planner).join()
  const { context } = planner.conductor
  await chosenModel(context, 'raspberry-pi-4')
  await client.call('rollout.start', start)
  await settle(planner)
  const [order] = await a.take('assign')
  if (!order) throw new Error('no order')
  t.match(await client.call('rollout.pause', { model: 'motor' }), {
    intent: 'held',
    rollouts: [{ state: 'paused', outside: { online: 1, offline: 0 } }],
  })
  await a.install(order, 'active')
  t.same(await b.take('assign'), [], 'paused')
  await t.rejects(client.call('rollout.approve', { model: 'motor' }), {
    code: 'rollout-refused',
    message: /is paused: cannot approve; possible: resume, abort/,
  })
  await client.call('rollout.resume', { model: 'motor', retry: false })
  await settle(planner)
  t.equal((await b.take('assign')).length, 1)
  const aborted = await client.call('rollout.abort', { model: 'motor' })
  t.match(aborted, {
    intent: 'plan',
    rollouts: [{ state: 'aborted', devices: [{ state: 'active' }, { state: 'released' }] }],
  })
  await settle(planner)
  t.equal(
    (await client.call('rollout.status', { model: 'motor' })).rollouts[0]?.state,
    'aborted',
    'it stays so',
  )
  await client.call('rollout.start', start)
  await settle(planner)
  t.equal((await a.take('assign')).length, 1, 'until the operator starts it again')
  const log = await client.call('audit.list', { limit: 100, subject: 'motor' })
  const said = log.filter(({ actor }) => actor.startsWith('cli:')).map(({ action }) => action)
  t.same(said, [
    'rollout.start',
    'rollout.abort',
    'rollout.resume',
    'rollout.pause',
    'rollout.start',
  ])
})

t.test('a repaired device gets its variant though the rollout is done', async (t) => {
  const { planner, client } = await running(t)
  const a = await new ScriptedDevice('d0', planner).join()
  await chosenModel(planner.conductor.context, 'raspberry-pi-4')
  await client.call('rollout.start', { ...start, waves: [...parseWaves('100%')] })
  await settle(planner)
  const [order] = await a.take('assign')
  if (!order) throw new Error('no order')
  await a.install(order, 'failed')
  await settle(planner)
  const states = async () =>
    (await client.call('rollout.status', { model: 'motor' })).rollouts.map(({ state, devices }) => [
      state,
      ...devices.map((device) => device.state),
    ])
  t.same(await states(), [['done', 'failed']])
  await t.rejects(client.call('rollout.resume', { model: 'motor', retry: false }), {
    code: 'rollout-refused',
  })
  await client.call('rollout.resume', { model: 'motor', retry: true })
  await settle(planner)
  const [again] = await a.take('assign')
  t.ok(again, 'it is ordered once more')
  if (again) await a.install(again, 'active')
  t.same(await states(), [['done', 'active']])
  await t.rejects(client.call('rollout.resume', { model: 'motor', retry: true }), {
    code: 'nothing-to-do',
    message: 'no device failed to take motor: nothing to try again',
  })
  const [entry] = await client.call('audit.list', { limit: 1, subject: 'motor' })
  t.match(entry, { action: 'rollout.retry', detail: { classes: ['raspberry-pi-4'] } })
})

t.test('whoever waits for a rollout to nobody is told so at once', async (t) => {
  const { planner, client } = await running(t)
  const { db, now } = planner.conductor.context
  await models.addModel(db, newModel, now())
  planner.clock.now = new Date(now().getTime() + 3_600_000)
  const status = await client.call('rollout.start', { ...start, wait: true })
  t.match(status, { intent: 'rollout', rollouts: [], pending: [] })
})

t.test('a rollout that is waited for tells what happens and answers at the end', async (t) => {
  const { planner, client } = await running(t)
  const a = await new ScriptedDevice('d0', planner).join()
  await chosenModel(planner.conductor.context, 'raspberry-pi-4')
  const told: string[] = []
  const done = client.call('rollout.start', { ...start, wait: true }, ({ what }) => told.push(what))
  for (let order = undefined; !order; ) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    ;[order] = await a.take('assign')
    if (order) await a.install(order, 'accepted', 'active')
  }
  t.match(await done, {
    rollouts: [{ state: 'done', devices: [{ device: 'd0', state: 'active' }] }],
  })
  t.ok(told.includes('raspberry-pi-4: rollout done: every device is settled'), told.join('\n'))
})

t.test('nothing to do is said, not waited for', async (t) => {
  const { planner, client } = await running(t)
  const plan = { model: 'motor', dryRun: false, again: false }
  await t.rejects(client.call('plan', plan), {
    code: 'unknown-model',
    message: /add one with fitment models add/,
  })
  await chosenModel(planner.conductor.context, 'raspberry-pi-4')
  await t.rejects(client.call('plan', { ...plan, model: 'other' }), { message: /known: motor/ })
  await t.rejects(client.call('plan', plan), {
    code: 'nothing-to-do',
    message: /no device has joined yet/,
  })
  await t.rejects(client.call('rollout.pause', { model: 'motor' }), { code: 'nothing-to-do' })
  await new ScriptedDevice('d0', planner).join()
  await t.rejects(client.call('plan', { ...plan, class: 'rock-5b' }), {
    code: 'unknown-class',
    message: /there are: raspberry-pi-4/,
  })
})

t.test('plan again tries builds that failed once more', async (t) => {
  const { planner, client } = await running(t)
  const { db } = planner.conductor.context
  await new ScriptedDevice('d0', planner).join()
  await chosenModel(planner.conductor.context, 'raspberry-pi-4')
  await variants.recordBuildFailure(db, 'large-a', 'the disk was full')
  await client.call('plan', { model: 'motor', dryRun: false, again: true })
  t.not((await variants.findVariant(db, 'large-a'))?.error, 'the disk was full')
  // What is drafted by now would be written into a folder that is being removed.
  await settle(planner)
})

t.test('a caller that talks no HTTP harms nobody', async (t) => {
  const { socket, client } = await running(t)
  await new Promise<void>((resolve) => {
    const raw = connect(socket, () => raw.end('garbage\r\n\r\n'))
    raw.on('close', () => resolve())
    raw.on('error', () => resolve())
    raw.resume()
  })
  t.same(await client.call('planner.info', {}), INFO)
})
