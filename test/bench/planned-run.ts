import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectPlanner, type Explanation, type PlannerClient } from '../../planner/api/index.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../shared-data.ts'

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))
const DEVICE = 'bench'

/** A model to plan for one device beside its planner. */
export interface Subject {
  readonly name: string
  readonly files: Readonly<Record<'source' | 'calibration' | 'test', string>>
  /** From `models add` to the choice, s. */
  readonly goalS: number
}

export function subjects(): readonly Subject[] {
  const demo = (file: string) => join(REPOSITORY, 'planner', 'demo', 'motor-faults', file)
  const motor = {
    name: 'motor-faults',
    files: {
      source: demo('model.tflite'),
      calibration: demo('calibration.npz'),
      test: demo('test.npz'),
    },
    goalS: 25,
  }
  const root = sharedData()
  const ic01 = (file: string) => join(root ?? '', 'mlperf-tiny', `ic01_${file}`)
  if (root === undefined || !existsSync(ic01('float32.tflite'))) {
    console.log(`ic01 not planned: ${WITHOUT_SHARED_DATA}`)
    return [motor]
  }
  const files = {
    source: ic01('float32.tflite'),
    calibration: ic01('calibration.npz'),
    test: ic01('test.npz'),
  }
  return [motor, { name: 'ic01', files, goalS: 60 }]
}

export interface Planned {
  readonly seconds: number
  readonly why: string
  readonly explanation: Explanation
}

/** Broker, planner and one agent of their own, from the registration to the choice. */
export async function plannedRun(
  { name, files }: Subject,
  told: (what: string) => void = () => {},
): Promise<Planned> {
  const directory = await mkdtemp(join(tmpdir(), 'fitment-planning-'))
  const data = join(directory, 'planner')
  const children: ChildProcess[] = []
  const program = (...words: readonly string[]) => {
    const [binary = '', ...args] = words
    const path = join(REPOSITORY, 'dist', binary)
    children.push(spawn(process.execPath, [path, ...args], { stdio: 'ignore' }))
  }
  try {
    program('planner/cli/main.js', 'serve', '--data', data, '--port', '0', '--insecure-loopback')
    const planner = connectPlanner(data)
    const info = await until(() => planner.call('planner.info', {}).catch(() => undefined))
    program(
      ...['agent/cli/main.js', 'run', '--broker', info.broker, '--fleet', info.fleet],
      ...['--trust', info.trust, '--device', DEVICE, '--state-dir', join(directory, 'device')],
    )
    await until(async () => {
      const devices = await planner.call('devices.list', {})
      return devices.some(({ online }) => online) || undefined
    })
    const started = performance.now()
    await register(planner, name, files)
    told('registered')
    const plan = await planner.call(
      'plan',
      { model: name, dryRun: false, again: false, acceptNoise: true },
      (progress) => told(progress.what),
    )
    const seconds = (performance.now() - started) / 1000
    const explanation = await planner.call('plan.explain', { model: name, device: DEVICE })
    return { seconds, why: plan.classes.map(({ why }) => why).join('; '), explanation }
  } finally {
    for (const child of children) child.kill('SIGTERM')
    await sleep(1_000)
    await rm(directory, { recursive: true, force: true })
  }
}

async function register(planner: PlannerClient, name: string, files: Subject['files']) {
  const upload = async (path: string) => ({ digest: await planner.upload(path), name: path })
  await planner.call('models.add', {
    name,
    source: await upload(files.source),
    calibration: await upload(files.calibration),
    test: await upload(files.test),
    objective: 'latency',
    constraints: {
      maxAccuracyDrop: 0.01,
      maxLatencyMs: null,
      maxMemoryBytes: null,
      maxBytes: null,
    },
  })
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await sleep(100)
  }
}
