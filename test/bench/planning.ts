import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectPlanner, type PlannerClient } from '../../planner/api/index.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../shared-data.ts'
import type { Benchmark, BenchRow } from './bench.ts'

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))

interface Subject {
  readonly name: string
  readonly files: Readonly<Record<'source' | 'calibration' | 'test', string>>
  /** From `models add` to the choice, s. */
  readonly goalS: number
}

/** How long it is from a registration to the choice, on one device beside its planner, and what it is spent on. */
export const planningBenchmark: Benchmark = {
  name: 'planning',
  run: async () => {
    const rows: BenchRow[] = []
    for (const subject of subjects()) rows.push(await measured(subject))
    return rows
  },
}

function subjects(): readonly Subject[] {
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
    console.log(`planning of ic01 not measured: ${WITHOUT_SHARED_DATA}`)
    return [motor]
  }
  const files = {
    source: ic01('float32.tflite'),
    calibration: ic01('calibration.npz'),
    test: ic01('test.npz'),
  }
  return [motor, { name: 'ic01', files, goalS: 60 }]
}

async function measured({ name, files, goalS }: Subject): Promise<BenchRow> {
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
      ...['--trust', info.trust, '--device', 'bench', '--state-dir', join(directory, 'device')],
    )
    await until(async () => {
      const devices = await planner.call('devices.list', {})
      return devices.some(({ online }) => online) || undefined
    })
    const started = performance.now()
    await register(planner, name, files, started)
    const told = changes(started)
    const plan = await planner.call(
      'plan',
      { model: name, dryRun: false, again: false, acceptNoise: true },
      (progress) => told(progress.what),
    )
    const seconds = (performance.now() - started) / 1000
    const why = plan.classes.map(({ why }) => why).join('; ')
    const probes = await planner.call('probes.list', { model: name })
    console.log(`${name}: ${why} (${probes.length} probes)`)
    return {
      name: `${name}: registered → chosen`,
      measured: `${seconds.toFixed(1)} s`,
      baseline: `${goalS} s`,
      ratio: seconds / goalS,
      goal: `≤ ${goalS} s`,
      met: seconds <= goalS,
    }
  } finally {
    for (const child of children) child.kill('SIGTERM')
    await sleep(1_000)
    await rm(directory, { recursive: true, force: true })
  }
}

async function register(
  planner: PlannerClient,
  name: string,
  files: Subject['files'],
  started: number,
) {
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
  tell(started, 'registered')
}

/** Tells each thing once, when it begins. */
function changes(started: number): (what: string) => void {
  let last = ''
  return (what) => {
    if (what === last) return
    last = what
    tell(started, what)
  }
}

function tell(started: number, what: string): void {
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${what}`)
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await sleep(100)
  }
}
