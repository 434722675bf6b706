import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ClassPlan, connectPlanner } from '../../../planner/api/index.ts'
import { bundledProfilesDir } from '../../../planner/classes/load-profiles.ts'
import { ProcessGroup } from '../../../planner/demo/processes.ts'
import { fitment } from '../../stories/command-line.ts'

export interface FleetTask {
  readonly model: string
  readonly calibration: string
  readonly test: string
  /** Points. */
  readonly maxAccuracyDrop: number
  /** A class for which only LiteRT counts; absent: both runtimes do. */
  readonly litertOnlyFor?: string
}

const START_MS = 60_000

/** Broker, planner and one agent as processes on this machine: what they choose for it. */
export async function planOnThisMachine(task: FleetTask): Promise<ClassPlan> {
  const dir = await mkdtemp(join(tmpdir(), 'fitment-fleet-'))
  const processes = new ProcessGroup(join(dir, 'logs'))
  const data = join(dir, 'planner')
  try {
    const profiles = join(dir, 'profiles')
    await mkdir(profiles)
    if (task.litertOnlyFor) await writeProfile(profiles, task.litertOnlyFor)
    const serve = ['serve', '--data', data, '--port', '0', '--insecure-loopback']
    processes.start('serve', 'fitment', [...serve, '--profiles', profiles])
    const planner = connectPlanner(data)
    const info = await until(() => planner.call('planner.info', {}))
    const to = ['--broker', info.broker, '--fleet', info.fleet, '--trust', info.trust]
    const own = ['--device', 'this-host', '--state-dir', join(dir, 'device'), '--threads', '1']
    processes.start('agent', 'fitment-agent', ['run', ...to, ...own])
    await until(async () => {
      const devices = await planner.call('devices.list', {})
      if (!devices.some(({ online }) => online)) throw new Error('not there yet')
    })
    const files = ['--model', task.model, '--calibration', task.calibration, '--test', task.test]
    const budget = ['--max-accuracy-drop', String(task.maxAccuracyDrop)]
    await ask(['models', 'add', 'subject', ...files, ...budget, '--data', data])
    const told = await ask(['plan', 'subject', '--accept-noise', '--data', data, '--json'])
    const [plan] = (JSON.parse(told) as { classes: ClassPlan[] }).classes
    if (plan === undefined) throw new Error('no class was planned for')
    return plan
  } finally {
    await processes.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

/** The class as it is, but for ONNX Runtime. */
async function writeProfile(folder: string, id: string): Promise<void> {
  const file = `${id}.json`
  const profile = JSON.parse(await readFile(join(bundledProfilesDir(), file), 'utf8'))
  profile.runtimes.onnxruntime = { supported: false, why: 'left out to compare' }
  await writeFile(join(folder, file), JSON.stringify(profile))
}

async function ask(argv: string[]): Promise<string> {
  const { code, out, err } = await fitment(...argv)
  if (code !== 0) throw new Error(`fitment ${argv.join(' ')}: ${err}`)
  return out
}

async function until<T>(look: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + START_MS; ; await sleep(200)) {
    try {
      return await look()
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}
