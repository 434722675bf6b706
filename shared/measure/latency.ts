import { medianCi95, medianOf, sorted } from '../statistics/index.ts'
import type { LatencyBudget } from './budget.ts'
import type { Block, Stopped, Warmup } from './latency-blocks.ts'
import type { LatencyRatio, LatencyRecord } from './latency-record.ts'
import { ratioOfBlocks, summarise } from './latency-summary.ts'

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
export type Run = (turn: number) => unknown

export interface MeasureHooks {
  readonly clock?: Clock
  /** After all warming up, before the first block. */
  readonly beforeBlocks?: () => unknown
  /** Between blocks, never inside one: probe the surroundings, report progress. */
  readonly afterBlock?: (round: number) => unknown
}

/** Rounds that a paired interval needs: below six there is none without assuming a distribution. */
const ROUNDS_FOR_RATIO = 6
/** How far beyond its time two slow models are measured for the sake of those rounds. */
const OVERTIME = 4

/** Rounds thrown away for a jump of the clock; further ones are kept, and the record is no good. */
const MOST_JUMPS = 3

/** Blocks of one model and why measuring ended. */
interface Series {
  readonly run: Run
  readonly warmup: Warmup
  readonly blocks: Block[]
  turn: number
}

export async function measureLatency(
  run: Run,
  budget: LatencyBudget,
  hooks: MeasureHooks = {},
): Promise<LatencyRecord> {
  const { series, stopped, clockJumps } = await measureSeries([run], budget, hooks)
  const [one] = series as [Series]
  return { ...summarise(one.blocks, one.warmup, stopped), ...(clockJumps > 0 && { clockJumps }) }
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
    latency: {
      ...summarise(ours.blocks, ours.warmup, stopped),
      ...(clockJumps > 0 && { clockJumps }),
    },
    baseline: summarise(theirs.blocks, theirs.warmup, stopped),
    ratio: ratioOfBlocks(ours.blocks, theirs.blocks),
  }
}

async function measureSeries(
  runs: readonly Run[],
  budget: LatencyBudget,
  { clock: given = systemClock, beforeBlocks, afterBlock }: MeasureHooks,
): Promise<{ series: Series[]; stopped: Stopped; clockJumps: number }> {
  const clock = new ForwardClock(given)
  const series: Series[] = []
  for (const run of runs)
    series.push({ run, warmup: await warmUp(run, budget, clock.now), blocks: [], turn: 0 })
  const block = blockOf(series, budget)
  await beforeBlocks?.()
  const startMs = clock.now()
  const timed = { ...budget, block, deadlineMs: startMs + budget.cap.ms }
  let clockJumps = 0
  for (let round = 0; ; round++) {
    const jumps = clock.jumps
    await measureRound(series, round, timed, clock, afterBlock)
    if (clock.jumps > jumps) {
      clockJumps += 1
      // A clock that always jumps measures nothing, and shall not be waited for.
      if (clockJumps <= MOST_JUMPS) for (const one of series) one.blocks.pop()
    }
    const stopped = whyStop(series, budget, clock.now() - startMs)
    if (stopped !== undefined) return { series, stopped, clockJumps }
  }
}

/** One block of each, in turns that turn. */
async function measureRound(
  series: readonly Series[],
  round: number,
  budget: LatencyBudget & { readonly deadlineMs: number },
  clock: ForwardClock,
  afterBlock: MeasureHooks['afterBlock'],
): Promise<void> {
  for (const one of round % 2 === 0 ? series : series.toReversed()) {
    one.blocks.push(await measureBlock(one, budget, budget.deadlineMs, clock.now))
    await afterBlock?.(round)
  }
}

/** The budget is for all together: a round of two lasts as long as a block of one. */
function blockOf(series: readonly Series[], { block, cap }: LatencyBudget): LatencyBudget['block'] {
  if (series.length === 1) return block
  const turnMs = series.reduce((sum, { warmup }) => sum + warmup.ms / warmup.runs, 0)
  const affordable = Math.floor(cap.ms / (ROUNDS_FOR_RATIO * turnMs))
  return {
    minRuns: Math.max(1, Math.min(block.minRuns, affordable)),
    minMs: block.minMs / series.length,
  }
}

/** Until the median of the last five runs is within 5 % of the five before. */
async function warmUp(run: Run, { warmup }: LatencyBudget, clock: Clock): Promise<Warmup> {
  const times: number[] = []
  const startMs = clock()
  for (;;) {
    const before = clock()
    await run(times.length)
    const now = clock()
    times.push(now - before)
    const ms = now - startMs
    const settled = isSettled(times)
    const enough = times.length >= warmup.minRuns && ms >= warmup.minMs
    if ((enough && settled) || ms >= warmup.maxMs) return { runs: times.length, ms, settled }
  }
}

function isSettled(times: readonly number[]): boolean {
  if (times.length < 10) return false
  const last = medianOf(sorted(times.slice(-5)))
  const previous = medianOf(sorted(times.slice(-10, -5)))
  return Math.abs(last - previous) < 0.05 * previous
}

async function measureBlock(
  series: Series,
  { block, enough, cap }: LatencyBudget,
  deadlineMs: number,
  clock: Clock,
): Promise<Block> {
  const most = Math.max(block.minRuns, Math.floor(cap.runs / enough.blocks))
  const times = new Float64Array(most)
  const startMs = clock()
  let runs = 0
  let now = startMs
  do {
    const before = clock()
    const result = series.run(series.turn++)
    // Waiting for what is there already costs microseconds of its own.
    if (result instanceof Promise) await result
    now = clock()
    times[runs++] = now - before
    if (now >= deadlineMs) break
  } while (runs < most && (runs < block.minRuns || now - startMs < block.minMs))
  return { startMs, endMs: now, timesMs: times.slice(0, runs) }
}

function whyStop(
  series: readonly Series[],
  { enough, cap }: LatencyBudget,
  elapsedMs: number,
): Stopped | undefined {
  if (series.some(({ blocks }) => blocks.length === 0)) return undefined
  const fewest = Math.min(...series.map(({ blocks }) => countRuns(blocks)))
  const rounds = series[0]?.blocks.length ?? 0
  const precise =
    fewest >= enough.runs &&
    rounds >= enough.blocks &&
    elapsedMs >= enough.ms &&
    series.every(({ blocks }) => halfWidth(blocks) <= enough.halfWidth)
  if (precise) return 'precise'
  if (elapsedMs >= cap.ms && (hasRounds(series) || elapsedMs >= OVERTIME * cap.ms)) return 'time'
  return fewest >= cap.runs ? 'runs' : undefined
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
