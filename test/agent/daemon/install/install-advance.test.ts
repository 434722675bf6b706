import t from 'tap'
import {
  advance,
  loopedIn,
  newInstallation,
} from '../../../../agent/daemon/install/install-advance.ts'
import {
  INSTALLING,
  type InstallEvent,
  type InstallStep,
  REPORTED_STATE,
  RESTARTS_ALLOWED,
} from '../../../../agent/daemon/transitions/install-table.ts'
import { PROBING } from '../../../../agent/daemon/transitions/probe-table.ts'
import {
  isTerminal,
  nextState,
  statesOf,
  type Transitions,
} from '../../../../agent/daemon/transitions/transitions.ts'
import { assignmentOf } from '../../orders.ts'

const old = 'c'.repeat(64)
const artifact = { digest: 'a'.repeat(64), bytes: 1_000, blockList: 'b'.repeat(64) }
const moment = { links: { current: old, previous: null }, now: new Date(0) }
const why = { code: 'self-test-failed', message: 'outputs do not agree' }

interface Story {
  readonly name: string
  readonly events: readonly InstallEvent[]
  readonly steps: readonly InstallStep[]
  readonly told: readonly string[]
}

const forward = (count: number): InstallEvent[] => Array.from({ length: count }, () => 'done')
const way: readonly InstallStep[] = [
  'downloading',
  'verifying',
  'installing',
  'waiting',
  'switching',
  'testing',
]

const STORIES: readonly Story[] = [
  {
    name: 'all goes well',
    events: forward(8),
    steps: [...way, 'watching', 'active'],
    told: ['downloading', 'verified', 'installed', 'active'],
  },
  {
    name: 'the download fails',
    events: ['done', 'failed'],
    steps: ['downloading', 'failed'],
    told: ['downloading', 'failed'],
  },
  {
    name: 'the self-test fails',
    events: [...forward(6), 'failed', 'done'],
    steps: [...way, 'rolling-back', 'rolled-back'],
    told: ['downloading', 'verified', 'installed', 'health', 'rolled-back'],
  },
  {
    name: 'power is lost in the self-test again and again',
    events: [...forward(6), 'looped', 'done'],
    steps: [...way, 'rolling-back', 'rolled-back'],
    told: ['downloading', 'verified', 'installed', 'health', 'rolled-back'],
  },
  {
    name: 'switching fails, and so does going back',
    events: [...forward(5), 'failed', 'failed'],
    steps: [...way.slice(0, 5), 'rolling-back', 'failed'],
    told: ['downloading', 'verified', 'installed', 'failed'],
  },
  {
    name: 'a newer one comes while the lock is held',
    events: [...forward(4), 'superseded'],
    steps: [...way.slice(0, 4), 'superseded'],
    told: ['downloading', 'verified', 'installed', 'failed'],
  },
]

for (const { name, events, steps, told } of STORIES) {
  t.test(name, (t) => {
    let job = newInstallation('order', assignmentOf({ artifact }))
    const walked: string[] = []
    const heard: string[] = []
    for (const event of events) {
      const next = advance(job, event, event === 'done' ? null : why, moment)
      job = next.job
      walked.push(job.step)
      heard.push(
        ...next.reports.map((report) => (report.kind === 'install' ? report.state : report.kind)),
      )
    }
    t.same(walked, steps)
    t.same(heard, told)
    t.end()
  })
}

t.test('the way back is written down on entering the switch, and never after it', (t) => {
  let job = newInstallation('order', assignmentOf({ artifact }))
  for (const event of forward(5)) job = advance(job, event, null, moment).job
  t.same(job.before, moment.links)
  const moved = { ...moment, links: { current: artifact.digest, previous: old } }
  t.same(advance(job, 'done', null, moved).job.before, moment.links)
  t.end()
})

t.test('the first failure stays the reason, what fails while mending it is added', (t) => {
  let job = newInstallation('order', assignmentOf({ artifact }))
  for (const event of forward(5)) job = advance(job, event, null, moment).job
  job = advance(job, 'failed', why, moment).job
  job = advance(job, 'failed', { code: 'disk-full', message: 'no room' }, moment).job
  t.same(job.error, { code: 'self-test-failed', message: 'outputs do not agree; then: no room' })
  t.match(loopedIn('testing').message, /4 times in a row while testing/)
  t.end()
})

function reachable<S extends string, E extends string>(table: Transitions<S, E>, from: S): Set<S> {
  const seen = new Set<S>([from])
  for (const state of seen)
    for (const next of Object.values<S | undefined>(table[state])) if (next) seen.add(next)
  return seen
}

t.test('in both tables every state can be reached, and leads to an end', (t) => {
  for (const table of [INSTALLING, PROBING] as Transitions<string, string>[]) {
    t.same(reachable(table, 'accepted'), new Set(statesOf(table)))
    for (const state of statesOf(table)) {
      t.ok(
        [...reachable(table, state)].some((end) => isTerminal(table, end)),
        state,
      )
    }
  }
  t.end()
})

t.test('once the links may have moved there is no way to an end but forward or back', (t) => {
  for (const state of ['switching', 'testing', 'watching'] as const) {
    t.equal(nextState(INSTALLING, state, 'superseded'), undefined)
    t.equal(nextState(INSTALLING, state, 'failed'), 'rolling-back')
    t.equal(nextState(INSTALLING, state, 'looped'), 'rolling-back')
  }
  t.end()
})

t.test('the fleet hears of every end', (t) => {
  for (const state of statesOf(INSTALLING)) {
    if (isTerminal(INSTALLING, state)) t.ok(REPORTED_STATE[state], state)
    else t.ok(RESTARTS_ALLOWED[state] > 0, state)
  }
  t.end()
})
