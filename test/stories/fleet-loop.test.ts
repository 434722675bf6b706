import { once } from 'node:events'
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connectPlanner, type ModelView, type RolloutStatus } from '../../planner/api/index.ts'
import { deviceTree } from '../device-trees.ts'
import { fewSamples, SMALL_MODEL } from '../planner/variants/small-model.ts'
import { fitment } from './command-line.ts'
import { type Address, Running, until } from './running.ts'

/**
 * The loop as an operator runs it: every command a process of its own, real broker, real agents with the
 * identity of captured boards. The planner is killed in the middle, and one device comes late.
 */
t.setTimeout(900_000)

async function ask<T>(...argv: string[]): Promise<T> {
  const { out, err } = await fitment(...argv, '--json')
  if (out === '') throw new Error(`fitment ${argv.join(' ')}: ${err}`)
  return JSON.parse(out)
}

t.test(
  'one float model goes in, every device ends on the variant that measured best on it',
  async (t) => {
    const dir = t.testdir({})
    const data = join(dir, 'planner')
    const here = ['--data', data]
    const planner = connectPlanner(data)
    const running = new Running(t)
    const serve = (port: string) => running.serve(data, '--port', port, '--probe-ms', '200')
    const agent = (device: string, tree: string, to: Address) =>
      running.agent(device, join(dir, device), to, ['--root', deviceTree(tree), '--threads', '1'])
    const first = await serve('0')
    const port = new URL(first.broker).port
    agent('pi', 'raspberry-pi-4', first)
    agent('rock', 'rock-5b', first)
    await until('two devices', async () => {
      const all = await planner.call('devices.list', {})
      return all.length === 2 && all.every(({ online }) => online) ? all : undefined
    })

    writeFileSync(join(dir, 'c.npz'), await fewSamples('calibration', 16))
    writeFileSync(join(dir, 't.npz'), await fewSamples('test', 40))
    const files = [
      '--model',
      SMALL_MODEL,
      '--calibration',
      join(dir, 'c.npz'),
      '--test',
      join(dir, 't.npz'),
    ]
    const model = await ask<ModelView>(
      'models',
      'add',
      'motor',
      ...files,
      '--max-accuracy-drop',
      '20',
      ...here,
    )
    t.match(model, { name: 'motor', revision: 1, labelled: true, testSamples: 40 })

    const refused = await fitment('serve', ...here, '--port', '0')
    t.match(refused, {
      code: 1,
      err: /error \[in-use\]: another planner \(process \d+\) is running on/,
    })

    await ask<RolloutStatus>('rollout', 'start', 'motor', '--accept-noise', ...here)
    // Killed while devices measure: what they measured meanwhile is told to the next planner.
    await until('a first measurement', async () => {
      const probes = await planner.call('probes.list', { model: 'motor' })
      return probes.some(({ state }) => state === 'measured') ? probes : undefined
    })
    first.child.kill('SIGKILL')
    await once(first.child, 'close')
    const second = await serve(port)
    t.equal(second.trust, first.trust, 'devices go on trusting it')

    const status = await ask<RolloutStatus>(
      'rollout',
      'start',
      'motor',
      '--accept-noise',
      '--wait',
      ...here,
    )
    t.same(
      status.rollouts.map(({ class: id, state }) => [id, state]),
      [
        ['raspberry-pi-4', 'done'],
        ['rk3588', 'done'],
      ],
    )

    agent('late', 'raspberry-pi-4', second)
    const devices = await until('the late device to catch up', async () => {
      const all = await planner.call('devices.list', {})
      const served = all.filter(({ installed }) => installed.some(({ active }) => active))
      return served.length === 3 ? all : undefined
    })

    const plans = await planner.call('models.show', { model: 'motor' })
    for (const device of devices) {
      const plan = plans.plans.find(({ class: id }) => id === device.class)
      const slot = device.installed.find(({ active }) => active)
      t.equal(slot?.scheme, plan?.winner?.scheme, `${device.id} runs what was chosen: ${plan?.why}`)
      const current = join(dir, device.id, 'slots', 'motor', 'current')
      t.equal(readlinkSync(current), slot?.variant)
      const file = plan?.winner?.runtime === 'onnxruntime' ? 'model.onnx' : 'model.tflite'
      t.ok(readFileSync(join(current, file)).length > 10_000)
    }

    const probes = await planner.call('probes.list', { model: 'motor' })
    const answered = probes.filter(({ state }) => state === 'measured')
    const times = new Map<string, number>()
    for (const { device, scheme, runtime, beside } of answered) {
      const what = `${device} ${scheme} ${runtime} ${beside?.scheme} ${beside?.runtime}`
      times.set(what, (times.get(what) ?? 0) + 1)
    }
    // Once to see what may win, and once more in turns with the leader where that is not clear.
    const most = Math.max(...times.values())
    t.ok(most <= 2, `nothing was measured again, though the planner was killed: ${[...times]}`)
    const log = await ask<{ action: string }[]>('audit', ...here)
    t.ok(
      log.some(({ action }) => action === 'rollout.start') &&
        log.some(({ action }) => action === 'models.add'),
    )
    second.child.kill('SIGTERM')
    const [code] = await once(second.child, 'close')
    t.equal(code, 0, 'it leaves in order')
    await running.stop()
  },
)
