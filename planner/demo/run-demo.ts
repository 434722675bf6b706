import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../shared/errors.ts'
import { shellWord } from '../../shared/started-as.ts'
import {
  type ApiProgress,
  connectPlanner,
  type OperationOutput,
  type PlannerClient,
} from '../api/index.ts'
import { consoleLink } from '../console/index.ts'
import { DEFAULT_GATE, DEFAULT_WAVES, parseWaves } from '../rollout/index.ts'
import { demoFile } from './demo-file.ts'
import { type DemoDevice, demoFleet } from './fleet.ts'
import { nativeParts } from './native-parts.ts'
import { type DeviceOutcome, outcomeOf } from './outcome.ts'
import { type Binary, DemoError, ProcessGroup } from './processes.ts'

const MODEL = 'motor-faults'
/** Less than the default of three seconds, and one after another where two would meet: six devices share one host. */
const ONE_MACHINE = ['--probe-ms', '600', '--probes-at-once', '2']
/** For a browser on this machine. */
const CONSOLE = ['--api-host', '127.0.0.1', '--api-port', '0', '--api-plain']
const POLL_MS = 200
const START_MS = 30_000
const JOIN_MS = 60_000

export interface DemoListener {
  /** A step begins; `command` is what an operator would type for it. */
  step(what: string, command?: string): void
  progress(progress: ApiProgress): void
  /** A link to the console of the fleet, which stays for as long as this takes; absent: there is no console. */
  console?(link: string): Promise<void>
}

type PlannerInfo = OperationOutput<'planner.info'>

/**
 * The whole loop on one machine: broker and planner as one process, six agents as six more.
 * @param dir empty folder for all state and logs
 * @throws DemoError naming the step that did not come to its end
 */
export async function runDemo(dir: string, listener: DemoListener): Promise<DeviceOutcome[]> {
  const processes = new ProcessGroup(join(dir, 'logs'))
  try {
    return await play(dir, processes, listener)
  } catch (cause) {
    throw new DemoError(
      `the demo stopped: ${messageOf(cause)}; what its processes wrote is in ${join(dir, 'logs')}`,
      { logs: join(dir, 'logs') },
      { cause },
    )
  } finally {
    await processes.stop()
  }
}

async function play(
  dir: string,
  processes: ProcessGroup,
  listener: DemoListener,
): Promise<DeviceOutcome[]> {
  const data = join(dir, 'planner')
  const serve = ['serve', '--data', data, '--port', '0', '--insecure-loopback']
  if (listener.console) serve.push(...CONSOLE)
  listener.step('broker and planner', line('fitment', serve))
  processes.start('serve', 'fitment', [...serve, ...ONE_MACHINE])
  const planner = connectPlanner(data)
  const info = await until('the planner to answer', START_MS, () =>
    planner.call('planner.info', {}).catch(() => undefined),
  )

  const fleet = demoFleet(await nativeParts(dir))
  const [late, present] = [fleet.filter((d) => d.late), fleet.filter((d) => !d.late)]
  const [first] = present.map((member) => line('fitment-agent', agentArguments(dir, info, member)))
  listener.step(`${present.length} devices join; the first:`, first)
  for (const member of present) startAgent(processes, dir, info, member)
  await devicesThat(planner, 'join', present, ({ online }) => online)

  listener.step(
    'register the model with its data and an accuracy budget',
    line('fitment', [
      ...['models', 'add', MODEL, '--data', data, '--model', demoFile(MODEL, 'model.tflite')],
      ...['--calibration', demoFile(MODEL, 'calibration.npz')],
      ...['--test', demoFile(MODEL, 'test.npz')],
    ]),
  )
  await addModel(planner, listener)
  listener.step(
    'classes → variants → probes on the devices → selection → rollout',
    line('fitment', ['rollout', 'start', MODEL, '--wait', '--data', data]),
  )
  await rollOut(planner, listener)

  listener.step(`${late.map(({ device }) => device).join(', ')} comes online and catches up`)
  for (const member of late) startAgent(processes, dir, info, member)
  await devicesThat(planner, 'catch up', late, ({ installed }) =>
    installed.some(({ model, active }) => model === MODEL && active),
  )
  const reached = await outcomes(planner, fleet)
  if (listener.console) {
    const { link } = await consoleLink(planner, { role: 'admin', path: '/fleet' })
    await listener.console(link)
  }
  return reached
}

/** As an operator would type it. */
function line(program: Binary, words: readonly string[]): string {
  return [program, ...words.map(shellWord)].join(' ')
}

function startAgent(
  processes: ProcessGroup,
  dir: string,
  info: PlannerInfo,
  member: DemoDevice,
): void {
  processes.start(member.device, 'fitment-agent', agentArguments(dir, info, member))
}

function agentArguments(
  dir: string,
  info: PlannerInfo,
  { device, tree, flags }: DemoDevice,
): string[] {
  return [
    'run',
    ...['--broker', info.broker, '--fleet', info.fleet, '--trust', info.trust],
    ...['--device', device, '--state-dir', join(dir, 'devices', device)],
    // Six devices share this host's cores: more threads each would only wait for one another.
    ...['--threads', '1'],
    ...(tree === null ? [] : ['--root', demoFile('devices', tree)]),
    ...flags,
  ]
}

async function addModel(planner: PlannerClient, listener: DemoListener): Promise<void> {
  const upload = async (name: string) => ({
    digest: await planner.upload(demoFile(MODEL, name)),
    name,
  })
  await planner.call(
    'models.add',
    {
      name: MODEL,
      source: await upload('model.tflite'),
      calibration: await upload('calibration.npz'),
      test: await upload('test.npz'),
      objective: 'latency',
      constraints: {
        maxAccuracyDrop: 0.01,
        maxLatencyMs: null,
        maxMemoryBytes: null,
        maxBytes: null,
      },
    },
    listener.progress,
  )
}

async function rollOut(planner: PlannerClient, listener: DemoListener): Promise<void> {
  await planner.call(
    'rollout.start',
    {
      model: MODEL,
      waves: [...parseWaves(DEFAULT_WAVES)],
      gate: DEFAULT_GATE,
      approval: false,
      revert: true,
      wait: true,
      // Six agents, planner and builds share this machine: that it is busy is part of the show, and is told.
      acceptNoise: true,
    },
    listener.progress,
  )
}

async function outcomes(
  planner: PlannerClient,
  fleet: readonly DemoDevice[],
): Promise<DeviceOutcome[]> {
  const model = await planner.call('models.show', { model: MODEL })
  const facts = {
    model: MODEL,
    devices: await planner.call('devices.list', {}),
    plans: model.plans,
    probes: await planner.call('probes.list', { model: MODEL }),
    accuracyFloat32: model.accuracy,
  }
  return fleet.map((member) => outcomeOf(member, facts))
}

type DeviceList = OperationOutput<'devices.list'>

async function devicesThat(
  planner: PlannerClient,
  what: string,
  members: readonly DemoDevice[],
  holds: (device: DeviceList[number]) => boolean,
): Promise<void> {
  const names = members.map(({ device }) => device)
  await until(`${names.join(', ')} to ${what}`, JOIN_MS, async () => {
    const devices = await planner.call('devices.list', {})
    const all = names.every((name) => devices.some((device) => device.id === name && holds(device)))
    return all ? true : undefined
  })
}

/** Asks again and again until there is an answer. */
async function until<T>(
  what: string,
  limitMs: number,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new DemoError(`waited ${limitMs / 1000} s for ${what}`)
    await sleep(POLL_MS)
  }
}
