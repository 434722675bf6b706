import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ProbeEnvironment, ProbeEvidence } from '../../shared/measure/index.ts'
import { medianOf, sorted } from '../../shared/statistics/index.ts'
import type { DeviceRoot } from '../device-root/index.ts'
import { readEnvironment } from './environment.ts'
import { spin, warmSpin } from './spin.ts'
import type { MachineShares } from './verdict.ts'

/** Watches the surroundings while latency is measured, only between blocks. */
export class EnvironmentMonitor {
  readonly #root: DeviceRoot
  readonly #spins: number[] = []
  #round = -1
  #before: ProbeEnvironment | undefined
  #usage = process.resourceUsage()
  #started = process.hrtime.bigint()
  /** Time spent in here, which is not the model's. */
  #ownMs = 0

  constructor(root: DeviceRoot) {
    this.#root = root
  }

  async start(): Promise<void> {
    warmSpin()
    this.#before = await readEnvironment(this.#root)
    this.#spins.push(spin())
    this.#usage = process.resourceUsage()
    this.#started = process.hrtime.bigint()
  }

  /** Lets messages and the end of the parent through, which a busy loop would keep waiting. @param round of blocks */
  async afterBlock(round: number): Promise<void> {
    const started = process.hrtime.bigint()
    if (round !== this.#round) this.#spins.push(spin())
    this.#round = round
    await nextTurn()
    this.#ownMs += Number(process.hrtime.bigint() - started) / 1e6
  }

  async finish(
    runs: number,
  ): Promise<{ before: ProbeEnvironment; after: ProbeEnvironment; evidence: ProbeEvidence }> {
    const usage = process.resourceUsage()
    const wallMs = Number(process.hrtime.bigint() - this.#started) / 1e6
    const after = await readEnvironment(this.#root)
    const before = this.#before ?? after
    const cpuMs =
      (usage.userCPUTime +
        usage.systemCPUTime -
        this.#usage.userCPUTime -
        this.#usage.systemCPUTime) /
      1000
    const switches = usage.involuntaryContextSwitches - this.#usage.involuntaryContextSwitches
    const evidence = {
      cpuShare: cpuMs / wallMs,
      involuntarySwitchesPerRun: switches / Math.max(1, runs),
      majorFaults: usage.majorPageFault - this.#usage.majorPageFault,
      ...machineShares(before.cpuTicks, after.cpuTicks, cpuMs),
      ...spinFigures(this.#spins),
    }
    return { before, after, evidence }
  }
}

/** Clock ticks of /proc/stat last 10 ms. (USER_HZ is 100 on every Linux that Node runs on.) */
const TICK_MS = 10

type CpuTicks = ProbeEnvironment['cpuTicks']

/** What others took between two looks. @param cpuMs our own part of it */
export function machineShares(before: CpuTicks, after: CpuTicks, cpuMs: number): MachineShares {
  if (before === null || after === null) return { stealShare: null, otherCpuShare: null }
  const busy = after.busy - before.busy
  const steal = after.steal - before.steal
  const all = busy + steal + after.idle - before.idle
  if (all <= 0) return { stealShare: null, otherCpuShare: null }
  return {
    stealShare: steal / all,
    otherCpuShare: Math.max(0, busy - cpuMs / TICK_MS) / all,
  }
}

type SpinFigures = Required<Pick<ProbeEvidence, 'spinSpread' | 'spinDrift' | 'spinMs'>>

/** Spread, drift and median of a fixed piece of work, from its times in order. */
export function spinFigures(spins: readonly number[]): SpinFigures {
  const ordered = sorted(spins)
  const middle = medianOf(ordered)
  const deviations = sorted(spins.map((ms) => Math.abs(ms - middle)))
  const third = Math.max(1, Math.floor(spins.length / 3))
  const last = medianOf(sorted(spins.slice(-third)))
  const first = medianOf(sorted(spins.slice(0, third)))
  return {
    spinSpread: medianOf(deviations) / middle,
    spinDrift: last / first,
    spinMs: middle,
  }
}
