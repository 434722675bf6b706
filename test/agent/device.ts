import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import {
  type Agent,
  type AgentOptions,
  SYSTEM_CLOCK,
  startAgent,
  UNWATCHED,
} from '../../agent/daemon/index.ts'
import { createModelRunner } from '../../agent/daemon/model-runner.ts'
import { readReport } from '../../agent/inventory/index.ts'
import { parseEndpoint } from '../../agent/link/index.ts'
import { NO_FAIL_POINTS } from '../../shared/fail-points.ts'
import { ANCHOR } from './orders.ts'
import { FLEET, PlannerDriver } from './planner-driver.ts'
import { log } from './quiet-log.ts'

/** Quick to come back, so that a test of a lost broker takes no minute. */
export const QUICK_BACKOFF = { baseMs: 20, capMs: 100, random: Math.random }

/** A directory of this test's own. Short, because Unix sockets want short paths. */
export function stateDirOf(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'fit-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export async function driverOf(t: Test): Promise<PlannerDriver> {
  const driver = await PlannerDriver.start()
  t.teardown(() => driver.stop())
  return driver
}

export function agentOptions(
  stateDir: string,
  url: string,
  overrides: Partial<AgentOptions> = {},
): AgentOptions {
  return {
    endpoint: parseEndpoint(url),
    fleet: FLEET,
    device: 'd1',
    stateDir,
    trust: ANCHOR,
    class: null,
    storageLimitBytes: null,
    memoryLimitBytes: null,
    cacheLimitBytes: 64 * 1024 * 1024,
    window: 16,
    version: 'test',
    backoff: QUICK_BACKOFF,
    clock: SYSTEM_CLOCK,
    failPoints: NO_FAIL_POINTS,
    log,
    health: UNWATCHED,
    findNative: async () => [],
    engineSettings: async () => ({ runtimes: null, libraries: [], delegates: [], devices: [] }),
    modelRunner: createModelRunner({ memoryLimitBytes: null, threads: null, root: '/' }),
    readHardware: () => readReport({ stateDir }),
    ...overrides,
  }
}

/** An agent in this process, stopped when the test ends. */
export async function agentOf(
  t: Test,
  stateDir: string,
  driver: PlannerDriver,
  overrides: Partial<AgentOptions> = {},
): Promise<Agent> {
  const agent = await startAgent(agentOptions(stateDir, driver.url, overrides))
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await agent.close()
  }
  t.teardown(close)
  return { ...agent, status: () => agent.status(), idle: () => agent.idle(), close }
}

/** Resolves once it holds; for what no message tells. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20))
}
