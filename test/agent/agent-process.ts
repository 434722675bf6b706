import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { printTrustPin } from '../../shared/trust/index.ts'
import { ANCHOR } from './orders.ts'
import { FLEET, type PlannerDriver } from './planner-driver.ts'

export const MAIN = fileURLToPath(new URL('../../agent/cli/main.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
}

export interface AgentProcess {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** What the program is told of its planner and its place. */
export function environmentOf({ url }: Pick<PlannerDriver, 'url'>, stateDir: string) {
  return {
    PATH: process.env.PATH,
    FITMENT_BROKER: url,
    FITMENT_FLEET: FLEET,
    FITMENT_DEVICE: 'd1',
    FITMENT_STATE_DIR: stateDir,
    FITMENT_TRUST: printTrustPin(ANCHOR),
  }
}

/** The real program, as a device runs it. */
export function spawnAgent(
  driver: Pick<PlannerDriver, 'url'>,
  stateDir: string,
  environment: Readonly<Record<string, string>> = {},
): AgentProcess {
  const child = spawn(process.execPath, [MAIN, 'run'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...environmentOf(driver, stateDir), ...environment },
  })
  return { child, ended: endOf(child) }
}

async function endOf(child: ChildProcess): Promise<Ended> {
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code, signal] = await once(child, 'close')
  return { code, signal, stderr }
}
