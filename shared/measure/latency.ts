import { setTimeout as sleep } from 'node:timers/promises'
import { medianCi95, medianOf, sorted } from '../statistics/index.ts'
import { type LatencyBudget, ROUNDS_FOR_RATIO } from './budget.ts'
import type { Block, Stopped, Warmup } from './latency-blocks.ts'
import type { LatencyRatio, LatencyRecord } from './latency-record.ts'
import { ratioOfBlocks, summarise } from './latency-summary.ts'
import { standingOf } from './standing.ts'

/** Time in ms from an arbitrary start. */
export type Clock = () => number

/** Monotonic, in nanoseconds; `hrtime.bigint` allocates what it returns. */
export const systemClock: Clock = () => performance.now()

/** Never goes back, and counts how often the one beneath did: what was timed across a jump is not known. */
class ForwardClock {
  readonly #clock: Clock
  #last: number
  #lostMs = 0
  jumps = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#last = clock()
  }

  readonly now: Clock = () => {
    const time = this.#clock()
    if (time < this.#last) {
      this.jumps += 1
      this.#lostMs += this.#last - time
    }
    this.#last = time
    return time + this.#lostMs
  }
}

/** What is timed; it may take another input each time. */
export interface Run {
  (turn: number): unknown
  /** Warms up for so long at least, as far as the budget goes: before, its code is not yet what it will be. */
  readonly optimisedAfterMs?: number | undefined
}

export interface MeasureHooks {
  readonly clock?: Clock
  /** Waits so many ms of the clock, between paced runs. */
  readonly wait?: (ms: number) => Promise<unknown>
  /** After all warming up, before the first block. */
  readonly beforeBlocks?: () => unknown
  /** Between blocks, never inside one: probe the surroundings, report progress. */
  readonly afterBlock?: (round: number) => unknown
}

/** How far beyond its time two slow models are measured for the sake of those rounds. */
const OVERTIME = 4

/** Paced runs after the warm-up's hot loop that are not counted. */
const SETTLING_RUNS = 2

/** Enough for a median that a stray run does not move; in turns, blocks need no more. */
const RUNS_OF_MEDIAN = 50
/** Some slices of a scheduler: what is shorter meets a neighbour or none at all. */
const LEAST_BLOCK_MS = 20
/** Of the time that a precise number takes; before it nothing is decided, for who disturbs for a moment does so to all of it. */
const SEEN_SHARE = 1 / 4

/** Rounds thrown away for a jump of the clock; further ones are kept, and the record is no good. */
const MOST_JUMPS = 3

/** Blocks of one model and why measuring ended. */
interface Series {
  readonly run: Run
  readonly warmup: Warmup
  readonly blocks: Block[]
  turn: number
  /** Paced runs that began late, since the one before took longer than the period. */
  late: number
  /** What it is measured for is certain: the rounds go on without it. */
  isOut: boolean
}

/** What one measurement goes by. */
interface Course {
  readonly budget: LatencyBudget
  readonly clock: ForwardClock
  readonly wait: (ms: number) => Promise<unknown>
  readonly deadlineMs: number
  /** When the last paced run began, of whichever series. */
  begunMs: number
}

export async function measureLatency(
  run: Run,
  budget: LatencyBudget,
  hooks: MeasureHooks = {},
): Promise<LatencyRecord> {
  const { series, stopped, clockJumps } = await measureSeries([run], budget, hooks)
  const [one] = series as [Series]
  return { ...recordOf(one, budget, stopped), ...(clockJumps > 0 && { clockJumps }) }
}

/**
 * Measures two models in turns, in blocks A B, B A, A B…: both meet the same drift and the same neighbours, so
 * their ratio is far steadier than their times. The budget is for both together; slow models get shorter blocks, and
 * up to four times the time, before they get fewer than six rounds.
 */
export async function measureBeside(
  run: Run,
  baseline: Run,
  budget: LatencyBudget,
  hooks: MeasureHooks = {},
): Promise<{ latency: LatencyRecord; baseline: LatencyRecord; ratio: LatencyRatio }> {
  const { series, stopped, clockJumps } = await measureSeries([run, baseline], budget, hooks)
  const [ours, theirs] = series as [Series, Series]
  return {
    latency: { ...recordOf(ours, budget, stopped), ...(clockJumps > 0 && { clockJumps }) },
    baseline: recordOf(theirs, budget, stopped),
    ratio: ratioOfBlocks(ours.blocks, theirs.blocks),
  }
}

/** One of several that were measured in turns. */
export interface Beside {
  readonly latency: LatencyRecord
  /** To each of them, by its place; null to itself. */
  readonly ratios: readonly (LatencyRatio | null)[]
}

/**
 * Measures any number of models in turns, in blocks A B C, C B A…, each beside all others. Who is certain to be behind the
 * fastest by more than any of `decides` is measured no further: the rest have its time. The budget is for all together.
 */
export async function measureField(
  runs: readonly Run[],
  budget: LatencyBudget,
  hooks: MeasureHooks = {},
): Promise<readonly Beside[]> {
  const { series, stopped, clockJumps } = await measureSeries(runs, budget, hooks)
  return series.map((one) => ({
    latency: {
      ...recordOf(one, budget, one.isOut ? 'decided' : stopped),
      ...(clockJumps > 0 && { clockJumps }),
    },
    ratios: series.map((other) => (other === one ? null : ratioOfBlocks(one.blocks, other.blocks))),
  }))
}

function recordOf(
  { blocks, warmup, late }: Series,
  { rateHz }: LatencyBudget,
  stopped: Stopped,
): LatencyRecord {
  return {
    ...summarise(blocks, warmup, stopped),
    ...(rateHz !== undefined && { pace: { rateHz, late } }),
  }
}

async function measureSeries(
  runs: readonly Run[],
  given: LatencyBudget,
  { clock: under = systemClock, wait = sleep, beforeBlocks, afterBlock }: MeasureHooks,
): Promise<{ series: Series[]; stopped: Stopped; clockJumps: number }> {
  const clock = new ForwardClock(under)
  const series: Series[] = []
  for (const run of runs) {
    const warmup = await warmUp(run, given, clock.now)
    series.push({ run, warmup, blocks: [], turn: 0, late: 0, isOut: false })
  }
  const budget = { ...given, block: blockOf(series, given) }
  await beforeBlocks?.()
  const startMs = clock.now()
  const deadlineMs = startMs + budget.cap.ms
  const course = { budget, clock, wait, deadlineMs, begunMs: Number.NEGATIVE_INFINITY }
  let clockJumps = 0
  for (let round = 0; ; round++) {
    const jumps = clock.jumps
    const racing = series.filter(({ isOut }) => !isOut)
    await measureRound(racing, round, course, afterBlock)
    if (clock.jumps > jumps) {
      clockJumps += 1
      // A clock that always jumps measures nothing, and shall not be waited for.
      if (clockJumps <= MOST_JUMPS) for (const one of racing) one.blocks.pop()
    }
    const stopped = whyStop(series, budget, clock.now() - startMs)
    if (stopped !== undefined) return { series, stopped, clockJumps }
  }
}

/** One block of each, in turns that turn. */
async function measureRound(
  series: readonly Series[],
  round: number,
  course: Course,
  afterBlock: MeasureHooks['afterBlock'],
): Promise<void> {
  for (const one of round % 2 === 0 ? series : series.toReversed()) {
    one.blocks.push(await measureBlock(one, course))
    await afterBlock?.(round)
  }
}

/**
 * The budget is for all together: a round of two lasts as long as a block of one. Quick models have shorter ones: more
 * runs make a median no better, more rounds tell sooner who is behind.
 */
function blockOf(
  series: readonly Series[],
  { block, cap, rateHz }: LatencyBudget,
): LatencyBudget['block'] {
  if (series.length === 1) return block
  const periodMs = rateHz === undefined ? 0 : 1000 / rateHz
  const turnMs = series.reduce(
    (sum, { warmup }) => sum + Math.max(periodMs, warmup.ms / warmup.runs),
    0,
  )
  const affordable = Math.floor(cap.ms / (ROUNDS_FOR_RATIO * turnMs))
  const telling = Math.max(LEAST_BLOCK_MS, (RUNS_OF_MEDIAN * turnMs) / series.length)
  return {
    minRuns: Math.max(1, Math.min(block.minRuns, affordable)),
    minMs: Math.min(block.minMs / series.length, telling),
  }
}

/** Until the median of the last five runs is within 5 % of the five before. */
async function warmUp(run: Run, { warmup }: LatencyBudget, clock: Clock): Promise<Warmup> {
  const times: number[] = []
  const leastMs = Math.max(warmup.minMs, run.optimisedAfterMs ?? 0)
  const startMs = clock()
  for (;;) {
    const before = clock()
    await run(times.length)
    const now = clock()
    times.push(now - before)
    const ms = now - startMs
    const settled = isSettled(times)
    const enough = times.length >= warmup.minRuns && ms >= leastMs
    if ((enough && settled) || ms >= warmup.maxMs) return { runs: times.length, ms, settled }
  }
}

function isSettled(times: readonly number[]): boolean {
  if (times.length < 10) return false
  const last = medianOf(sorted(times.slice(-5)))
  const previous = medianOf(sorted(times.slice(-10, -5)))
  return Math.abs(last - previous) < 0.05 * previous
}

async function measureBlock(series: Series, course: Course): Promise<Block> {
  const { budget, clock, deadlineMs } = course
  const { block, enough, cap } = budget
  const most = Math.max(block.minRuns, Math.floor(cap.runs / enough.blocks))
  const times = new Float64Array(most)
  const due = await beginPacing(series, course)
  const startMs = clock.now()
  let runs = 0
  let now = startMs
  do {
    if (due) await due(runs)
    const before = clock.now()
    const result = series.run(series.turn++)
    // Waiting for what is there already costs microseconds of its own.
    if (result instanceof Promise) await result
    now = clock.now()
    times[runs++] = now - before
    if (now >= deadlineMs) break
  } while (runs < most && (runs < block.minRuns || now - startMs < block.minMs))
  return { startMs, endMs: now, timesMs: times.slice(0, runs) }
}

/**
 * Waits until a run is due, by a fixed grid: what is late does not shift those after it. Undefined where nothing is paced.
 * The first runs at the rate after something else ran hot are not counted: clocks and caches settle in them.
 */
async function beginPacing(
  series: Series,
  course: Course,
): Promise<((run: number) => Promise<void>) | undefined> {
  const { rateHz } = course.budget
  if (rateHz === undefined) return undefined
  const { clock, wait } = course
  const periodMs = 1000 / rateHz
  const settling = series.blocks.length === 0 ? SETTLING_RUNS : 0
  const startMs = Math.max(clock.now(), course.begunMs + periodMs)
  const until = async (turn: number) => {
    const restMs = startMs + turn * periodMs - clock.now()
    if (restMs > 0) await wait(restMs)
    course.begunMs = clock.now()
    return restMs < 0
  }
  for (let turn = 0; turn < settling; turn++) {
    await until(turn)
    await series.run(series.turn++)
  }
  return async (run) => {
    if ((await until(settling + run)) && run > 0) series.late += 1
  }
}

function whyStop(
  all: readonly Series[],
  { enough, cap, decides }: LatencyBudget,
  elapsedMs: number,
): Stopped | undefined {
  const isSeen = elapsedMs >= SEEN_SHARE * enough.ms
  const isDecided = isSeen && decides !== undefined && decidedBy(all, decides)
  const series = all.filter(({ isOut }) => !isOut)
  if (series.some(({ blocks }) => blocks.length === 0)) return undefined
  const fewest = Math.min(...series.map(({ blocks }) => countRuns(blocks)))
  const rounds = series[0]?.blocks.length ?? 0
  const precise =
    fewest >= enough.runs &&
    rounds >= enough.blocks &&
    elapsedMs >= enough.ms &&
    series.every(({ blocks }) => halfWidth(blocks) <= enough.halfWidth)
  if (precise) return 'precise'
  if (isDecided) return 'decided'
  if (elapsedMs >= cap.ms && (hasRounds(series) || elapsedMs >= OVERTIME * cap.ms)) return 'time'
  return fewest >= cap.runs ? 'runs' : undefined
}

/** Also takes out of the race who is certain to be behind. */
function decidedBy(all: readonly Series[], decides: readonly number[]): boolean {
  const racing = all.filter(({ isOut }) => !isOut)
  if (all.length < 2 || racing.some(({ blocks }) => blocks.length < ROUNDS_FOR_RATIO)) return false
  const { behind, isDecided } = standingOf(
    racing.map(({ blocks }) => blocks),
    decides,
  )
  // Of two each is the other's measure.
  if (all.length > 2) for (const place of behind) (racing[place] as Series).isOut = true
  return isDecided
}

/** Enough for what is made of them: a ratio needs rounds, and never fewer than two. */
function hasRounds(series: readonly Series[]): boolean {
  return series.length === 1 || (series[0]?.blocks.length ?? 0) >= ROUNDS_FOR_RATIO
}

function countRuns(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + block.timesMs.length, 0)
}

function halfWidth(blocks: readonly Block[]): number {
  const medians = sorted(blocks.map((block) => medianOf(sorted(block.timesMs))))
  const [low, high] = medianCi95(medians)
  return (high - low) / 2 / medianOf(medians)
}
