import { pino } from 'pino'
import t from 'tap'
import { connectPlanner, socketPath, startApi } from '../../../planner/api/index.ts'
import { printExplanation } from '../../../planner/cli/models/print-explanation.ts'
import { layOut } from '../../../planner/cli/print/layout.ts'
import type { ProbeRecord } from '../../../shared/measure/index.ts'
import { askedProbe } from '../../asked-probe.ts'
import { builtModel } from '../conductor/built-model.ts'
import { openPlanner, record, ScriptedDevice, settle } from '../conductor/scripted-fleet.ts'

const INFO = { version: '0', fleet: 'f', broker: 'b', database: 'd', trust: 't' }
const ENGINE: NonNullable<ProbeRecord['engine']> = {
  runtime: 'onnxruntime',
  version: '1.30.0',
  threads: 2,
  library: { path: '/usr/lib/libonnxruntime.so', digest: 'ab'.repeat(32) },
}

t.test(
  'why this variant and not that one: measurements, intervals, samples, when, which engine',
  async (t) => {
    const data = t.testdir({})
    const planner = await openPlanner(data)
    t.teardown(planner.close)
    const { conductor } = planner
    const api = await startApi({
      conductor,
      info: INFO,
      socket: socketPath(data),
      log: pino({ level: 'silent' }),
    })
    t.teardown(api.close)
    const client = connectPlanner(data)
    const device = new ScriptedDevice('press-1', planner)
    await t.rejects(client.call('plan.explain', { model: 'motor', device: 'press-1' }), {
      code: 'unknown-model',
    })
    const model = await builtModel(planner, 'raspberry-pi-4')
    const asked = { model: model.name, device: 'press-1' }
    await t.rejects(client.call('plan.explain', asked), {
      code: 'unknown-device',
      message: /no device "press-1" ever joined: see fitment devices/,
    })
    await device.join({ runtimes: [{ name: 'onnxruntime', version: '1.30.0' }] })
    await settle(planner)
    const waiting = await client.call('plan.explain', asked)
    t.match(waiting, { chosen: null, chosenAt: null, why: /press-1 measures static-w8a8-s8s8/ })
    t.match(
      printExplanation(waiting),
      /nothing is chosen \[probing\]: press-1 measures static-w8a8-s8s8/,
    )
    for (let i = 0; i < 3; i += 1) {
      const [signed] = await device.take('probe')
      if (signed === undefined) throw new Error('no probe was ordered')
      const { id, variant, model: name, scheme } = askedProbe(signed)
      const isNoisy = i === 0
      const figures = scheme === 'float32' ? record(10, null) : record(5, 0.5)
      const flags = isNoisy ? ['busy-machine'] : []
      const verdict = isNoisy ? ('contended' as const) : ('ok' as const)
      const result = {
        outcome: 'measured',
        record: { ...figures, engine: ENGINE, flags, verdict },
      } as const
      await device.say({ kind: 'probe', order: id, model: name, variant, result })
      planner.clock.now = new Date(planner.clock.now.getTime() + 20_000)
      await settle(planner)
    }
    const told = await client.call('plan.explain', asked)
    t.match(told, {
      device: 'press-1',
      class: 'raspberry-pi-4',
      chosen: { scheme: 'static-w8a8-s8s8', runtime: 'onnxruntime' },
      instead: null,
      acceptsNoise: false,
    })
    const of = (scheme: string) => told.candidates.find((one) => one.scheme === scheme)
    t.match(of('static-w8a8-s8s8'), {
      verdict: 'chosen',
      besideFloat32: { p50: 0.5 },
      besideChosen: null,
      measurements: [
        {
          rival: { scheme: 'float32' },
          verdict: 'contended',
          counts: false,
          flags: ['busy-machine'],
        },
        { rival: { scheme: 'float32' }, runs: 200, samples: 40, engine: ENGINE, counts: true },
      ],
    })
    t.match(of('float32'), {
      besideChosen: { p50: 2, basis: 'in-turns', devices: 1, shown: true },
    })
    // It was asked for beside the other, by an agent that measures the first alone.
    const { measurements = [] } = of('float32') ?? {}
    const inState = (wanted: string) => measurements.find(({ state }) => state === wanted)
    t.equal(measurements.length, 2)
    t.match(inState('failed'), { counts: false })
    t.match(inState('measured'), { verdict: 'ok', counts: true })
    const printed = layOut(printExplanation(told), undefined).text
    t.match(printed, /motor revision 1 on press-1 \(class raspberry-pi-4, round 1\), chosen 20/)
    t.match(printed, /2.00× \(1.98×–2.02×\) +in turns, 1 device/)
    t.match(printed, /contended busy-machine \(left out\)/)
    t.match(printed, /onnxruntime 1.30.0, \/usr\/lib\/libonnxruntime.so \(abab\w*\), 2 threads/)
  },
)
