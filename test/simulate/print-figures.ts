import type { Figures } from './simulate.ts'

/** A line a figure, for people. */
export function printFigures(figures: Figures): string {
  const { births, plan, rollout, idle, storms, orders } = figures
  const kinds = Object.entries(orders).map(
    ([kind, { sent, needed }]) => `${kind} ${sent}/${needed}`,
  )
  const lines: readonly (readonly [string, string])[] = [
    ['devices, classes', `${figures.devices}, ${figures.classes}`],
    [
      'births',
      `${births.perSecond.toFixed(0)}/s, ${births.cpuMsPerDevice.toFixed(2)} ms of planner CPU each, ${births.simulatorCpuMsPerDevice.toFixed(2)} ms of the simulator's`,
    ],
    ...(plan ? [['plan', printPlan(plan)] as const] : []),
    ...(rollout ? [['rollout', printRollout(rollout)] as const] : []),
    ...(idle ? [['idle', printIdle(idle)] as const] : []),
    ...storms.map(
      (storm) =>
        [
          'storm',
          `${storm.perSecond.toFixed(0)} births/s, planner CPU ${storm.cpuSeconds.toFixed(2)} s, the simulator's ${storm.simulatorCpuSeconds.toFixed(2)} s`,
        ] as const,
    ),
    ['orders sent/needed', kinds.join(', ')],
    ['RSS at most', `${(figures.peakRssBytes / 1e6).toFixed(0)} MB`],
    ['database', `${(figures.databaseBytesPerDevice / 1000).toFixed(1)} kB a device`],
    [
      'signatures held, files fetched',
      `${figures.verified}, ${figures.downloads} of them ${figures.pulls} from a copy`,
    ],
    ['failures', figures.failures.slice(0, 5).join('; ') || 'none'],
  ]
  return lines.map(([name, value]) => `${name.padEnd(32)} ${value}`).join('\n')
}

function printPlan(plan: NonNullable<Figures['plan']>): string {
  const { seconds, probingSeconds, cpuSeconds, simulatorCpuSeconds } = plan
  return `${seconds.toFixed(1)} s, of which probing ${probingSeconds.toFixed(1)} s; planner CPU ${cpuSeconds.toFixed(2)} s, the simulator's ${simulatorCpuSeconds.toFixed(2)} s`
}

function printIdle({ cpuShare, seconds, simulatorCpuSeconds }: NonNullable<Figures['idle']>) {
  const own = simulatorCpuSeconds / seconds
  return `${(100 * cpuShare).toFixed(1)} % of a core, the simulator ${(100 * own).toFixed(1)} %`
}

function printRollout(rollout: NonNullable<Figures['rollout']>): string {
  const { seconds, cpuMsPerDevice, simulatorCpuMsPerDevice, reportsPerSecond, installed } = rollout
  const others = `all who read had it after ${installed.seconds.toFixed(1)} s, half of them after ${installed.halfSeconds.toFixed(1)} s`
  return `${others}; ${seconds.toFixed(1)} s, ${cpuMsPerDevice.toFixed(1)} ms of planner CPU a device, ${simulatorCpuMsPerDevice.toFixed(1)} ms of the simulator's, ${reportsPerSecond.toFixed(0)} reports/s`
}
