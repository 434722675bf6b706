import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installedModelSchema } from '../../agent/artifacts/index.ts'
import { connectPlanner } from '../../planner/api/index.ts'
import { readTflite } from '../../planner/formats/tflite/codec/read.ts'
import { writeTflite } from '../../planner/formats/tflite/codec/write.ts'
import { fewSamples, SMALL_MODEL } from '../planner/variants/small-model.ts'
import { fitment } from './command-line.ts'
import { Running, until } from './running.ts'

/** Groups on real devices: labels of both sides, waves and rollouts by them, windows, and who is taken out. */
t.setTimeout(900_000)

/** Another revision that answers as the first does. */
function nudged(): Uint8Array {
  const model = readTflite(new Uint8Array(readFileSync(SMALL_MODEL)))
  return writeTflite({ ...model, description: 'the second' })
}

t.test('halls, pilots, nights and a device that is scrapped', async (t) => {
  const dir = t.testdir({})
  const data = join(dir, 'planner')
  const here = ['--data', data]
  const planner = connectPlanner(data)
  const running = new Running(t)
  const address = await running.serve(data, '--port', '0', '--probe-ms', '200')
  const flags = ['--threads', '1', '--runtimes', 'litert']
  const agent = (name: string, ...labels: string[]) =>
    running.agent(name, join(dir, name), address, [
      ...flags,
      ...(labels.length > 0 ? ['--labels', ...labels] : []),
    ])
  agent('press-1', 'site=hall-1', 'line=a')
  agent('press-2', 'site=hall-2')
  const third = agent('press-3')
  const revisionOn = (device: string) => {
    const file = join(dir, device, 'slots', 'motor', 'current', 'model.json')
    return installedModelSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).revision
  }
  const revisions = () => ['press-1', 'press-2', 'press-3'].map(revisionOn)
  const files = {
    calibration: join(dir, 'c.npz'),
    test: join(dir, 't.npz'),
    second: join(dir, 'second.tflite'),
  }
  writeFileSync(files.calibration, await fewSamples('calibration', 16))
  writeFileSync(files.test, await fewSamples('test', 60))
  writeFileSync(files.second, nudged())
  // So small a limit leaves few candidates to build and measure.
  const limits = ['--max-accuracy-drop', '5', '--max-bytes', '70KB', ...here]
  const samples = ['--calibration', files.calibration, '--test', files.test]
  const add = (model: string, ...more: string[]) =>
    fitment('models', 'add', 'motor', '--model', model, ...samples, ...limits, ...more)
  const start = (...more: string[]) =>
    fitment('rollout', 'start', 'motor', '--accept-noise', ...more, ...here)
  await until('three devices', async () =>
    (await planner.call('devices.list', {})).filter(({ online }) => online).length === 3
      ? true
      : undefined,
  )
  t.match(await fitment('devices', '--where', 'site=hall-1', ...here), {
    code: 0,
    out: /press-1 .*line=a site=hall-1 +now/,
  })
  t.match(await fitment('devices', '--where', 'site=hal-1', ...here), {
    code: 1,
    err: /matches-nobody.*of site there are hall-1, hall-2/,
  })
  t.match(await fitment('devices', '--where', 'site>1', ...here), { code: 2, err: /is no term/ })

  t.match(await add(SMALL_MODEL, '--min-metric', '150%'), {
    code: 1,
    err: /gate-refused.*--min-metric/,
  })
  t.equal((await add(SMALL_MODEL, '--tag', 'first', '--note', 'as delivered')).code, 0)
  t.match(await start('--waves', 'site=pilot,100%'), { code: 1, err: /matches-nobody/ })
  const first = await start('--waves', 'site=hall-1,100%', '--wait')
  t.equal(first.code, 0, first.out + first.err)
  t.same(revisions(), [1, 1, 1])
  const status = await planner.call('rollout.status', { model: 'motor' })
  const waves = Object.fromEntries(
    status.rollouts[0]?.devices.map(({ device, wave }) => [device, wave]) ?? [],
  )
  t.same(waves, { 'press-1': 1, 'press-2': 2, 'press-3': 2 })

  t.match(await fitment('devices', 'label', 'press-3', 'site=hall-2', ...here), { code: 0 })
  t.equal((await add(files.second)).code, 0)
  const second = await start('--where', 'site=hall-2', '--wait')
  t.equal(second.code, 0, second.out + second.err)
  t.same(revisions(), [1, 2, 2], 'the other hall keeps what it has')
  t.match(await fitment('devices', 'label', 'press-1', 'site=hall-2', ...here), {
    code: 0,
    err: /press-1 itself says site=hall-1; yours counts/,
  })
  await until('the device to join', async () => (revisionOn('press-1') === 2 ? true : undefined))

  third.kill('SIGKILL')
  t.match(await fitment('devices', 'retire', 'press-3', '--reason', 'scrapped', ...here), {
    code: 0,
  })
  t.notMatch((await fitment('devices', ...here)).out, /press-3/)
  t.match((await fitment('devices', '--all', ...here)).out, /press-3 +retired/)

  const asked = Date.now()
  const back = await fitment('rollback', 'motor', '--to', 'first', '--wait', ...here)
  t.comment(`rolled back in ${Date.now() - asked} ms`)
  t.equal(back.code, 0, back.out + back.err)
  t.same(revisions().slice(0, 2), [1, 1])
  t.match(await fitment('devices', 'press-1', ...here), { out: /motor: revision 1, / })

  const hour = (ahead: number) =>
    `${String((new Date().getUTCHours() + ahead) % 24).padStart(2, '0')}:00`
  const night = ['--where', 'site=hall-2', '--from', hour(3), '--to', hour(5), '--zone', 'UTC']
  t.match(await fitment('windows', 'set', 'nights', ...night, ...here), {
    code: 0,
    out: /nights +site=hall-2 .* UTC +2 +the devices/,
  })
  t.equal((await start('--revision', '2', '--waves', '100%')).code, 0)
  await until('both to have fetched it', async () => {
    const [rollout] = (await planner.call('rollout.status', { model: 'motor' })).rollouts
    return rollout?.devices.every(({ state }) => state === 'installed') ? true : undefined
  })
  t.same(revisions().slice(0, 2), [1, 1], 'and nobody switches before the hour')
  t.match(await fitment('rollout', 'status', 'motor', ...here), { out: /installed +window opens / })
  await running.stop()
})
