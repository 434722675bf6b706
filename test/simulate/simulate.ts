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
  readonly rssBytes: number
}

export interface Figures {
  readonly devices: number
  readonly classes: number
  readonly births: Phase & { readonly perSecond: number }
  /** With builds and evaluations on this host; `probing` is from the first probe order to the last. */
  readonly plan: (Phase & { readonly probingSeconds: number }) | null
  readonly rollout: (Phase & { readonly reportsPerSecond: number }) | null
  readonly idle: (Phase & { readonly cpuShare: number }) | null
  readonly storms: readonly (Phase & { readonly perSecond: number })[]
  /** By kind: what devices heard, and how many of these orders there are. */
  readonly orders: Readonly<Record<string, { readonly sent: number; readonly needed: number }>>
  readonly peakRssBytes: number
  readonly databaseBytesPerDevice: number
  readonly installs: number
  readonly verified: number
  readonly downloads: number
  /** What must not be: signatures or digests that do not hold, messages that do not parse, rollouts that did not end well. */
  readonly failures: readonly string[]
}

const POLL_MS = 500

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
    const rollout =
      until === 'rollout' ? await phase('rollout', () => rolledOut(planner, fleet, settings)) : null
    const reports = ledger.receipted - reportsBefore
    churning.abort()
    const rest = idle === 0 ? null : await phase('idle', () => sleep(1000 * idle))
    const storms: Figures['storms'][number][] = []
    for (let storm = 0; storm < settings.storms; storm += 1) {
      const taken = await phase('storm', () => fleet.storm())
      storms.push({ ...taken, perSecond: settings.devices / taken.seconds })
    }
    const states = rollout === null ? [] : await planner.rolloutStates()
    return {
      devices: settings.devices,
      classes: boards.length,
      births: { ...births, perSecond: settings.devices / births.seconds },
      plan: plan && {
        ...plan,
        probingSeconds: between(ledger.firstNew.get('probe'), ledger.lastNew.get('probe')),
      },
      rollout: rollout && { ...rollout, reportsPerSecond: reports / rollout.seconds },
      idle: rest && { ...rest, cpuShare: rest.cpuSeconds / rest.seconds },
      storms,
      orders: Object.fromEntries(ledger.orders),
      peakRssBytes: planner.usage().peakRssBytes,
      databaseBytesPerDevice: (await planner.databaseBytes()) / settings.devices,
      installs: ledger.installs,
      verified: ledger.verified,
      downloads: ledger.downloads,
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

/** Every device that hears has installed, and then the planner says so too. */
async function rolledOut(
  planner: PlannerUnderTest,
  { ledger, devices }: Crowd,
  { patience }: Settings,
): Promise<void> {
  await planner.startRollout()
  const hearing = devices.filter(({ setup }) => !setup.character.isFrozen).length
  const deadline = performance.now() + 1000 * patience
  const late = () => performance.now() > deadline
  // Asking costs the planner time that would be counted as the rollout's.
  while (ledger.installs < hearing) {
    if (late())
      throw new Error(`${ledger.installs} of ${hearing} devices had it after ${patience} s`)
    await sleep(POLL_MS)
  }
  const hasFrozen = hearing < devices.length
  for (;;) {
    const states = await planner.rolloutStates()
    if (hasFrozen || states.every((state) => state === 'done' || state === 'aborted')) return
    if (late()) throw new Error(`rollouts are ${states.join(', ')} after ${patience} s`)
    await sleep(POLL_MS)
  }
}

function phasesOf(planner: PlannerUnderTest, devices: number, tell: (line: string) => void) {
  return async (name: string, run: () => Promise<void>): Promise<Phase> => {
    const before = planner.usage()
    const started = performance.now()
    await run()
    const seconds = (performance.now() - started) / 1000
    const { cpuSeconds: cpu, rssBytes } = planner.usage()
    const cpuSeconds = cpu - before.cpuSeconds
    tell(
      `${name}: ${seconds.toFixed(1)} s, planner CPU ${cpuSeconds.toFixed(2)} s, RSS ${(rssBytes / 1e6).toFixed(0)} MB`,
    )
    return { seconds, cpuSeconds, cpuMsPerDevice: (1000 * cpuSeconds) / devices, rssBytes }
  }
}

function between(from: number | undefined, to: number | undefined): number {
  return from === undefined || to === undefined ? 0 : (to - from) / 1000
}
