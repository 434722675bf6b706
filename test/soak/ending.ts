import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runSelfTest } from '../../agent/daemon/install/self-test.ts'
import { readJournal } from '../../agent/daemon/journal/journal.ts'
import { messageOf } from '../../shared/errors.ts'
import type { Chaos } from './chaos.ts'
import type { Fleet } from './fleet.ts'
import { checkAcceptedOrders, checkReceipts } from './ledger-check.ts'
import { MODEL } from './operator.ts'
import type { Tally } from './tally.ts'

/** Longest pauses of senders and reconnecting agents are a minute or two. */
const SETTLE_MS = 300_000
const POLL_MS = 500

/** After the last kill: one crash loop on purpose, then everything must come to rest in the right place. */
export async function ending(fleet: Fleet, chaos: Chaos, tally: Tally): Promise<void> {
  // Twice: whatever a device runs by now, the second one moves it, and there is a way back.
  for (const _ of [1, 2]) {
    await fleet.operator.swap()
    await timed('planned and there', settle(fleet, tally, 'there'))
  }
  await timed('back', settle(fleet, tally, 'back'))
  await timed('a crash loop', crashLoop(fleet, chaos, tally))
  await timed('back', settle(fleet, tally, 'back'))
  await timed('there', settle(fleet, tally, 'there'))
  await timed('outboxes empty', outboxesEmpty(fleet, tally))
  const installed = await fleet.operator.planner.call('devices.list', {})
  chaos.over()
  for (const failure of await fleet.stop()) tally.violate(failure)
  await chaos.buried()

  checkReceipts(fleet.data, fleet.witness, tally)
  checkAcceptedOrders(fleet.data, fleet.witness, tally)
  for (const device of fleet.devices) {
    tally.looks += 1
    const { variant, fault } = device.look()
    if (fault !== undefined) tally.violate(`${device.id} at the end: ${fault}`)
    const known = installed.find(({ id }) => id === device.id)?.installed
    const active = known?.find((slot) => slot.active && slot.model === MODEL)?.variant
    if (active !== variant)
      tally.violate(`${device.id} runs ${variant}, the planner says ${active}`)
    const file = device.modelFile()
    if (file === undefined) continue
    const job = { file, engine: { runtime: 'litert' }, what: 'run', golden: null } as const
    await runSelfTest(job, AbortSignal.timeout(60_000)).catch((error) =>
      tally.violate(`${device.id}: its model does not load: ${messageOf(error)}`),
    )
  }
}

async function timed(what: string, work: Promise<void>): Promise<void> {
  const started = performance.now()
  await work
  console.log(`calm: ${what} after ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

const GOALS = {
  there: (state: string) => state === 'active',
  back: (state: string) => state !== 'reverting',
} as const

async function settle(fleet: Fleet, tally: Tally, goal: keyof typeof GOALS): Promise<void> {
  const { operator, devices } = fleet
  await operator.ask(() => (goal === 'there' ? operator.start() : operator.abort()))
  const isThere = () =>
    devices.every((one) => one.look().variant === one.variantOf(operator.revision))
  for (const end = performance.now() + SETTLE_MS; performance.now() < end; await sleep(POLL_MS)) {
    const isSaid = await operator.everyDevice(GOALS[goal], SETTLE_MS)
    if (isSaid && (goal === 'back' || isThere())) return
    // Refused while another revision was on its way: that one is over now.
    if (isSaid) await operator.ask(() => operator.start())
  }
  const status = await operator.status()
  const members = status?.rollouts.flatMap(({ devices, state, outside }) => [
    `${state}, outside ${JSON.stringify(outside)}`,
    ...devices.map(({ device, state: at, error }) => `${device} ${at} ${error ?? ''}`),
  ])
  tally.violate(`not ${goal} after ${SETTLE_MS / 1000} s of calm: ${members?.join(', ')}`)
}

/** A variant that its device does not survive is given up after the allowed deaths, and the old one runs. */
async function crashLoop(fleet: Fleet, chaos: Chaos, tally: Tally): Promise<void> {
  const { operator } = fleet
  const device = fleet.devices.find(
    (one) => one.look().variant !== one.variantOf(operator.revision),
  )
  if (device === undefined) return tally.violate('no device went back: no crash loop to look at')
  const before = device.look().variant
  chaos.loop(device)
  await operator.ask(() => operator.start())
  const isOver = await operator.everyDevice(
    (state) => state === 'active' || state === 'rolled-back',
    SETTLE_MS,
  )
  const after = device.look().variant
  const status = await operator.status()
  const member = status?.rollouts
    .flatMap((rollout) => rollout.devices)
    .find((one) => one.device === device.id)
  const isTold = member?.state === 'rolled-back' && member.error?.startsWith('restart-loop')
  if (isOver && after === before && isTold) tally.loops += 1
  else tally.violate(`a crash loop of ${device.id} ended with ${member?.state}: ${member?.error}`)
  chaos.loop(undefined)
}

/** Every report has its receipt. */
async function outboxesEmpty(fleet: Fleet, tally: Tally): Promise<void> {
  const waiting = () =>
    fleet.devices.filter(
      ({ stateDir }) => readJournal(join(stateDir, 'journal')).keys('report').length > 0,
    )
  for (const deadline = performance.now() + SETTLE_MS; performance.now() < deadline; ) {
    if (waiting().length === 0) return
    await sleep(POLL_MS)
  }
  for (const { id } of waiting()) tally.violate(`${id} still waits for a receipt`)
}
