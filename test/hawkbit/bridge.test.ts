import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Agent, startAgent } from '../../agent/daemon/index.ts'
import type { Digest } from '../../shared/digest.ts'
import { parseTrustPin } from '../../shared/trust/index.ts'
import { agentOptions, stateDirOf } from '../agent/device.ts'
import { fitment } from '../planner/cli/run-fitment.ts'
import { type HawkbitStandIn, MANAGER, TENANT } from './holdings.ts'
import { CLASS, shippingPlanner } from './shipping-planner.ts'
import { hawkbitStandIn } from './stand-in.ts'

/** Nobody listens there: what a device gets, it gets by hawkBit. */
const NO_BROKER = 'mqtt://127.0.0.1:1'

async function bridge(
  t: Test,
  data: string,
  { url }: Pick<HawkbitStandIn, 'url'>,
  ...more: string[]
) {
  const file = join(stateDirOf(t), 'password')
  writeFileSync(file, `${MANAGER.password}\n`)
  const access = ['--url', url, '--user', MANAGER.user, '--password-file', file]
  return await fitment('bridge', 'hawkbit', '--data', data, ...access, ...more)
}

interface Device {
  readonly stateDir: string
  readonly agent: Agent
}

async function device(
  t: Test,
  hawkbit: HawkbitStandIn,
  trust: string,
  stateDir = stateDirOf(t),
  token = hawkbit.targets.get('press-7')?.token ?? '',
): Promise<Device> {
  const options = agentOptions(stateDir, NO_BROKER, {
    ...{ device: 'press-7', class: CLASS, trust: parseTrustPin(trust) as Digest },
    backoff: { baseMs: 50, capMs: 500, random: () => 0.9 },
    hawkbit: {
      ...{ url: hawkbit.url, tenant: TENANT, target: 'press-7' },
      token: { kind: 'TargetToken', secret: token },
    },
  })
  const agent = await startAgent(options)
  let isClosed = false
  const close = async () => {
    if (!isClosed) await agent.close()
    isClosed = true
  }
  t.teardown(close)
  return { stateDir, agent: { ...agent, close } }
}

const running = ({ stateDir }: Device, model = 'motor') => {
  try {
    return readlinkSync(join(stateDir, 'slots', model, 'current'))
      .split('/')
      .at(-1)
  } catch {
    return undefined
  }
}

/** What the tests share that only read of it: to make one takes its time. */
const plant = shippingPlanner(t, { bytes: 1_500_000 })

const ended =
  (hawkbit: HawkbitStandIn, count = 1) =>
  () =>
    hawkbit.actions.filter(({ state }) => ['finished', 'error', 'canceled'].includes(state))
      .length >= count

t.test('what was chosen and signed here reaches a device by hawkBit alone', async (t) => {
  const hawkbit = await hawkbitStandIn(t)
  hawkbit.addTarget('press-7')
  hawkbit.addTarget('other')
  const { data, planner, variant, file } = await plant
  const pushed = await bridge(t, data, hawkbit)
  t.match(pushed, { code: 0, out: /raspberry-pi-4 .* new .*again before 20/s }, pushed.err)
  t.equal(hawkbit.sets.length, 1)
  t.same(hawkbit.modules.map(({ name }) => name).sort(), [
    'fitment motor',
    `fitment word for ${CLASS}`,
  ])
  const press = await device(t, hawkbit, planner.trust)
  await hawkbit.until(ended(hawkbit))
  const [action] = hawkbit.actions
  t.equal(action?.target, 'press-7', 'chosen by what it says of itself')
  t.match(action?.feedback.at(-1), {
    execution: 'closed',
    finished: 'success',
    details: [/^motor revision 1 static-w8a8 [0-9a-f]{12} runs$/],
  })
  t.equal(running(press), variant)
  const slot = join(press.stateDir, 'slots/motor/current/model.tflite')
  t.ok(readFileSync(slot).equals(file), 'the bytes that were released')
  t.match(hawkbit.targets.get('press-7')?.attributes, {
    fitment_class: CLASS,
    fitment_agent: 'test',
  })

  const again = await bridge(t, data, hawkbit)
  t.match(again, { code: 0, out: /as it was/ }, 'done again it makes nothing')
  t.equal(hawkbit.sets.length, 1)
})

t.test('a download that breaks off goes on where it was', async (t) => {
  const hawkbit = await hawkbitStandIn(t)
  hawkbit.addTarget('press-7')
  const { data, planner, variant } = await plant
  await bridge(t, data, hawkbit)
  let cuts = 0
  const isModel = (asked: string) => /motor\.model\.[0-9a-f]{12}$/.test(asked)
  hawkbit.fault = (asked) => {
    if (!isModel(asked) || cuts >= 3) return undefined
    cuts += 1
    return { cut: 100_000 }
  }
  const press = await device(t, hawkbit, planner.trust)
  await hawkbit.until(ended(hawkbit))
  t.equal(hawkbit.actions[0]?.state, 'finished')
  t.equal(running(press), variant)
  t.equal(cuts, 3)
  const asked = hawkbit.ranges.filter((range) => /motor\.model\.[0-9a-f]{12} /.test(range))
  const from = asked.map((range) => Number(range.split(' ')[1]?.split('-')[0]))
  t.ok(
    from.slice(1, 4).every((at) => at > 0),
    `what came before the break is not asked again: ${asked}`,
  )
})

t.test('bytes that are not those released end the deployment, and nothing changes', async (t) => {
  const hawkbit = await hawkbitStandIn(t)
  hawkbit.addTarget('press-7')
  const { data, planner } = await plant
  await bridge(t, data, hawkbit)
  hawkbit.fault = (asked) =>
    /motor\.model\.[0-9a-f]{12}$/.test(asked) ? { spoil: true } : undefined
  const press = await device(t, hawkbit, planner.trust)
  await hawkbit.until(ended(hawkbit))
  t.match(hawkbit.actions[0]?.feedback.at(-1), {
    finished: 'failure',
    details: [/^\[wrong-digest\] .*blocks of artifact/],
  })
  t.equal(running(press), undefined)
})

t.test(
  'a shipment that was changed, or is of another planner, is believed by nobody',
  async (t) => {
    const hawkbit = await hawkbitStandIn(t)
    hawkbit.addTarget('press-7')
    const { data, planner } = await plant
    const stranger = await shippingPlanner(t)
    await bridge(t, data, hawkbit)
    const press = await device(t, hawkbit, stranger.planner.trust)
    await hawkbit.until(ended(hawkbit))
    t.match(hawkbit.actions[0]?.feedback.at(-1), {
      finished: 'failure',
      details: [/^\[arbitrary-software\] the first roots are not those/],
    })
    t.equal(running(press), undefined)
    t.not(stranger.planner.trust, planner.trust)
  },
)

t.test('a model that answers wrongly is taken back, and hawkBit hears why', async (t) => {
  const hawkbit = await hawkbitStandIn(t)
  hawkbit.addTarget('press-7')
  const { data, planner } = await shippingPlanner(t, { spoilt: true })
  await bridge(t, data, hawkbit)
  const press = await device(t, hawkbit, planner.trust)
  await hawkbit.until(ended(hawkbit))
  t.match(hawkbit.actions[0]?.feedback.at(-1), {
    execution: 'closed',
    finished: 'failure',
    details: [/rolled-back: \[self-test-failed\]/],
  })
  t.equal(running(press), undefined)
})

t.test('a server that is busy, away, or knows nobody is said once and asked again', async (t) => {
  const hawkbit = await hawkbitStandIn(t)
  hawkbit.addTarget('press-7')
  const { data, planner, variant } = await plant
  await bridge(t, data, hawkbit)
  let refusals = 0
  hawkbit.fault = (asked) => {
    if (!asked.includes('/controller/') || refusals >= 3) return undefined
    refusals += 1
    return { status: [401, 429, 503][refusals - 1] ?? 500 }
  }
  await hawkbit.stop()
  const press = await device(t, hawkbit, planner.trust)
  await hawkbit.start()
  await hawkbit.until(ended(hawkbit))
  t.equal(refusals, 3)
  t.equal(running(press), variant)
})

t.test(
  'a held update waits, a cancelled one is given up, another agent installs nothing twice',
  async (t) => {
    const hawkbit = await hawkbitStandIn(t)
    hawkbit.addTarget('press-7')
    const { data, planner, variant } = await plant
    await bridge(t, data, hawkbit, '--targets', `${CLASS}=controllerid=="press-7"`)
    const [first] = hawkbit.actions
    if (first === undefined) throw new Error('nothing was assigned')
    first.update = 'skip'
    const press = await device(t, hawkbit, planner.trust)
    await hawkbit.until(() => first.feedback.some(({ execution }) => execution === 'downloaded'))
    t.equal(running(press), undefined, 'the maintenance window is not open')
    first.state = 'canceling'
    await hawkbit.until(() => first.state === 'canceled')
    hawkbit.actions.push({
      ...first,
      id: hawkbit.nextId(),
      state: 'running',
      update: 'forced',
      feedback: [],
    })
    await hawkbit.until(ended(hawkbit, 2))
    t.equal(running(press), variant)
    await press.agent.close()
    hawkbit.actions.push({
      ...first,
      id: hawkbit.nextId(),
      state: 'running',
      update: 'forced',
      feedback: [],
    })
    const before = hawkbit.ranges.length
    await device(t, hawkbit, planner.trust, press.stateDir)
    await hawkbit.until(ended(hawkbit, 3))
    t.match(hawkbit.actions[2]?.feedback, [{ finished: 'success', details: [/ran here before$/] }])
    t.equal(hawkbit.ranges.length, before, 'nothing was fetched again')
  },
)

t.test('what is no shipment, and what hawkBit lost, fails with one line', async (t) => {
  const hawkbit = await hawkbitStandIn(t)
  hawkbit.addTarget('press-7')
  const { data, planner } = await plant
  await bridge(t, data, hawkbit, '--targets', `${CLASS}=controllerid=="press-7"`)
  for (const { artifacts } of hawkbit.modules)
    artifacts.splice(
      0,
      artifacts.length,
      ...artifacts.filter(({ filename }) => filename === 'shipment.json'),
    )
  await device(t, hawkbit, planner.trust)
  await hawkbit.until(ended(hawkbit))
  t.match(hawkbit.actions[0]?.feedback.at(-1)?.details, [
    /^\[no-shipment\] file [0-9a-f]{12} is not/,
  ])
  for (const { artifacts } of hawkbit.modules) artifacts.splice(0)
  const [first] = hawkbit.actions
  if (first === undefined) throw new Error('nothing was assigned')
  hawkbit.actions.push({ ...first, id: hawkbit.nextId(), state: 'running', feedback: [] })
  await hawkbit.until(ended(hawkbit, 2))
  t.match(hawkbit.actions[1]?.feedback.at(-1)?.details, [
    /^\[no-shipment\] the assigned distribution/,
  ])
})

t.test('mistakes at the bridge are one line', async (t) => {
  const hawkbit = await hawkbitStandIn(t)
  hawkbit.addTarget('lab-1')
  const { data } = await plant
  const file = join(stateDirOf(t), 'password')
  writeFileSync(file, 'guessed')
  const wrong = await fitment(
    ...['bridge', 'hawkbit', '--data', data, '--url', hawkbit.url, '--user', 'eve'],
    ...['--password-file', file],
  )
  t.match(wrong, { code: 1, err: /\[hawkbit-unauthorized\]: .*check --user/ })
  t.match(await bridge(t, data, { url: `${hawkbit.url}/rest` }), {
    code: 1,
    err: /\[hawkbit-not-there\]/,
  })
  t.match(await bridge(t, data, { url: 'http://127.0.0.1:1' }), {
    code: 1,
    err: /\[hawkbit-unreachable\]/,
  })
  t.match(await bridge(t, data, { url: 'http://hawkbit.example' }), { code: 2, err: /has no TLS/ })
  t.match(await bridge(t, data, hawkbit, '--targets', 'x'), { code: 2, err: /not CLASS=QUERY/ })
  t.match(await bridge(t, data, hawkbit, '--targets', 'x=y==z'), { code: 2, err: /names class x/ })
  t.match(await bridge(t, data, hawkbit, '--class', 'x'), { code: 1, err: /\[nothing-to-do\]/ })
  t.match(await fitment('bridge', 'hawkbit', '--data', data), { code: 2, err: /give --url/ })
  t.same(hawkbit.sets, [], 'and nothing was made')
  t.match(await bridge(t, data, hawkbit, '--dry-run'), {
    code: 0,
    out: /motor 1 static-w8a8 .*tag=="fitment raspberry-pi-4"/,
  })
  t.same(hawkbit.sets, [])

  let busy = 0
  hawkbit.fault = (asked) => {
    if (!asked.endsWith('/softwaremodules') || busy >= 2) return undefined
    busy += 1
    return { status: 429, headers: { 'retry-after': '0.1' } }
  }
  const done = await bridge(t, data, hawkbit)
  t.match(done, { code: 0, out: / new / }, 'a server that is busy is asked again')
  t.equal(busy, 2)
  t.match(hawkbit.actions, [{ target: 'lab-1' }], 'a device known here is found by its tag')
  hawkbit.fault = () => ({ status: 409 })
  t.match(await bridge(t, data, hawkbit), { code: 1, err: /\[hawkbit-refused\]: .*\(409\)/ })
})
