import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatBytes } from '../../shared/units.ts'
import { spawnAgent } from '../agent/agent-process.ts'
import { PlannerDriver } from '../agent/planner-driver.ts'
import type { Benchmark, BenchRow } from './bench.ts'

const GOAL_BYTES = 70 * 2 ** 20
/** By then the start's garbage is collected or never will be. */
const SETTLE_MS = 10_000

/** Issue 12: an agent that joined and has nothing to do takes at most 70 MiB: no native library, no runtime. */
export const idleAgentBenchmark: Benchmark = {
  name: 'idle-agent',
  unavailable: () => (process.platform === 'linux' ? undefined : 'reads /proc'),
  run: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fitment-idle-'))
    const driver = await PlannerDriver.start()
    const agent = spawnAgent(driver, directory)
    try {
      await driver.until(() => driver.births.length > 0)
      await sleep(SETTLE_MS)
      return [rowOf(await residentBytes(agent.child.pid ?? 0))]
    } finally {
      agent.child.kill('SIGTERM')
      await agent.ended
      await driver.stop()
      await rm(directory, { recursive: true, force: true })
    }
  },
}

function rowOf(bytes: number): BenchRow {
  return {
    name: 'agent, joined and idle',
    measured: `${formatBytes(bytes)} resident`,
    baseline: formatBytes(GOAL_BYTES),
    ratio: bytes / GOAL_BYTES,
    goal: '≤ 70 MiB',
    met: bytes <= GOAL_BYTES,
  }
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
}
