import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { boardFacts } from './boards.ts'
import { Crowd } from './crowd.ts'
import { PlannerUnderTest, SAMPLES } from './planner-under-test.ts'
import type { Settings } from './settings.ts'

/** What one phase took. Times of the wall in s; processor time is the planner's, with the broker in it where it is embedded. */
export interface Phase {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly cpuMsPerDevice: number
  /** The simulator's own, with the copy it serves: who else had the processors. */
  readonly simulatorCpuSeconds: number
  readonly simulatorCpuMsPerDevice: number
  /** At its end, and the most that was seen in it. */
  readonly rssBytes: number
  readonly mostRssBytes: number
}

/** Until the last device that reads had it, whatever the rollout still waits for. */
export interface Installed {
  readonly seconds: number
  /** From the first assignment that was heard to the last. */
  readonly assigningSeconds: number
  /** Until the half of them had it. */
  readonly halfSeconds: number
  readonly cpuMsPerDevice: number
}

export interface Figures {
  readonly devices: number
  readonly classes: number
  readonly births: Phase & { readonly perSecond: number }
  /** With builds and evaluations on this host; `probing` is from the first probe order to the last. */
  readonly plan: (Phase & { readonly probingSeconds: number }) | null
  readonly rollout:
    | (Phase & { readonly reportsPerSecond: number; readonly installed: Installed })
    | null
  readonly idle: (Phase & { readonly cpuShare: number }) | null
  readonly storms: readonly (Phase & { readonly perSecond: number })[]
  /** By kind: what devices heard, and how many of these orders there are. */
  readonly orders: Readonly<Record<string, { readonly sent: number; readonly needed: number }>>
  readonly peakRssBytes: number
  readonly databaseBytesPerDevice: number
  readonly installs: number
  readonly verified: number
  readonly downloads: number
  /** Of those, from the copy. */
  readonly pulls: number
  /** What must not be: signatures or digests that do not hold, messages that do not parse, rollouts that did not end well. */
  readonly failures: readonly string[]
}

const POLL_MS = 500
/** So often its memory is looked at. */
const LOOK_MS = 250

/** One fleet from its births to the end of a rollout, and through whatever else was asked for. */
export async function simulate(
  settings: Settings,
  tell: (line: string) => void = () => {},
): Promise<Figures> {
  const dir = settings.keep ?? mkdtempSync(join(tmpdir(), 'simulate-'))
  mkdirSync(dir, { recursive: true })
  if (settings.from !== undefined) {
    cpSync(join(settings.from, 'planner'), join(dir, 'planner'), { recursive: true })
  }
  const planner = new PlannerUnderTest(settings, dir)
  let crowd: Crowd | undefined
  const churning = new AbortController()
  try {
    const place = await planner.start()
    const boards = await boardFacts(settings.classes, dir)
    crowd = new Crowd({ ...place, settings, boards, samples: SAMPLES, dir: join(dir, 'devices') })
    const { ledger } = crowd
    const fleet = crowd
    const phase = phasesOf(planner, settings.devices, tell)
    const births = await phase('births', () => fleet.connect())
    void fleet.churn(churning.signal)
    const { until, idle } = settings
    const plan = until === 'births' ? null : await phase('plan', () => planned(planner, settings))
    const reportsBefore = ledger.receipted
    let installed: Installed = {
      seconds: 0,
      halfSeconds: 0,
      assigningSeconds: 0,
      cpuMsPerDevice: 0,
    }
    const rollout =
      until === 'rollout'
        ? await phase('rollout', async () => {
            installed = await installedBy(planner, fleet, settings)
            await ended(planner, fleet, settings)
          })
        : null
    const reports = ledger.receipted - reportsBefore
    churning.abort()
    const rest = idle === 0 ? null : await phase('idle', () => sleep(1000 * idle))
    const storms: Figures['storms'][number][] = []
    for (let storm = 0; storm < settings.storms; storm += 1) {
      const taken = await phase('storm', () => fleet.storm())
      storms.push({ ...taken, perSecond: settings.devices / taken.seconds })
    }
    const states = rollout === null || fleet.hasFrozen ? [] : await planner.rolloutStates()
    return {
      devices: settings.devices,
      classes: boards.length,
      births: { ...births, perSecond: settings.devices / births.seconds },
      plan: plan && {
        ...plan,
        probingSeconds: between(ledger.firstNew.get('probe'), ledger.lastNew.get('probe')),
      },
      rollout: rollout && { ...rollout, installed, reportsPerSecond: reports / rollout.seconds },
      idle: rest && { ...rest, cpuShare: rest.cpuSeconds / rest.seconds },
      storms,
      orders: Object.fromEntries(ledger.orders),
      peakRssBytes: planner.usage().peakRssBytes,
      databaseBytesPerDevice: (await planner.databaseBytes()) / settings.devices,
      installs: ledger.installs,
      verified: ledger.verified,
      downloads: ledger.downloads,
      pulls: ledger.pulls,
      failures: [
        ...ledger.notVerified,
        ...(ledger.wrongDigests > 0
          ? [`${ledger.wrongDigests} downloads with another digest`]
          : []),
        ...(ledger.unreadable > 0 ? [`${ledger.unreadable} messages that do not parse`] : []),
        ...states.filter((state) => state !== 'done').map((state) => `a rollout is ${state}`),
      ],
    }
  } finally {
    churning.abort()
    await crowd?.close()
    await planner.stop()
    if (settings.keep === undefined) rmSync(dir, { recursive: true, force: true })
  }
}

async function planned(planner: PlannerUnderTest, { from }: Settings): Promise<void> {
  if (from === undefined) await planner.register()
  await planner.plan(from !== undefined)
}

/** Every device that hears has installed. */
async function installedBy(
  planner: PlannerUnderTest,
  fleet: Crowd,
  { patience }: Settings,
): Promise<Installed> {
  const { ledger } = fleet
  const hearing = fleet.hearing.length
  const before = planner.usage().cpuSeconds
  const started = performance.now()
  fleet.freeze()
  await planner.startRollout()
  // Asking costs the planner time that would be counted as the rollout's.
  while (ledger.installs < hearing) {
    if (performance.now() > started + 1000 * patience)
      throw new Error(`${ledger.installs} of ${hearing} devices had it after ${patience} s`)
    await sleep(POLL_MS)
  }
  const cpuSeconds = planner.usage().cpuSeconds - before
  const { firstNew, lastNew } = ledger
  const secondsOf = (nth: number) => between(started, ledger.installedAt[nth - 1])
  return {
    seconds: secondsOf(hearing),
    assigningSeconds: between(firstNew.get('assign'), lastNew.get('assign')),
    halfSeconds: secondsOf(Math.ceil(hearing / 2)),
    cpuMsPerDevice: (1000 * cpuSeconds) / hearing,
  }
}

/** The planner says so too, unless it waits for the frozen. */
async function ended(
  planner: PlannerUnderTest,
  fleet: Crowd,
  { patience }: Settings,
): Promise<void> {
  const deadline = performance.now() + 1000 * patience
  for (;;) {
    const states = await planner.rolloutStates()
    if (fleet.hasFrozen || states.every((state) => state === 'done' || state === 'aborted')) return
    if (performance.now() > deadline)
      throw new Error(`rollouts are ${states.join(', ')} after ${patience} s`)
    await sleep(POLL_MS)
  }
}

function phasesOf(planner: PlannerUnderTest, devices: number, tell: (line: string) => void) {
  return async (name: string, run: () => Promise<void>): Promise<Phase> => {
    const before = planner.usage()
    const ownBefore = process.cpuUsage()
    const started = performance.now()
    let mostRssBytes = before.rssBytes
    const look = setInterval(() => {
      if (planner.isRunning) mostRssBytes = Math.max(mostRssBytes, planner.usage().rssBytes)
    }, LOOK_MS)
    await run().finally(() => clearInterval(look))
    const seconds = (performance.now() - started) / 1000
    const own = process.cpuUsage(ownBefore)
    const { cpuSeconds: cpu, rssBytes } = planner.usage()
    const cpuSeconds = cpu - before.cpuSeconds
    const simulatorCpuSeconds = (own.user + own.system) / 1e6
    tell(
      `${name}: ${seconds.toFixed(1)} s, planner CPU ${cpuSeconds.toFixed(2)} s, the simulator's ${simulatorCpuSeconds.toFixed(2)} s, RSS ${(rssBytes / 1e6).toFixed(0)} MB, at most ${(mostRssBytes / 1e6).toFixed(0)} MB`,
    )
    return {
      ...{ seconds, cpuSeconds, cpuMsPerDevice: (1000 * cpuSeconds) / devices },
      ...{ simulatorCpuSeconds, simulatorCpuMsPerDevice: (1000 * simulatorCpuSeconds) / devices },
      ...{ rssBytes, mostRssBytes },
    }
  }
}

function between(from: number | undefined, to: number | undefined): number {
  return from === undefined || to === undefined ? 0 : (to - from) / 1000
}
