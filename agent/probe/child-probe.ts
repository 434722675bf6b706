import { readFile } from 'node:fs/promises'
import { type Dataset, readDataset, type Samples, samplesFor } from '../../shared/dataset/index.ts'
import { findMeter, measureEnergy } from '../../shared/energy/index.ts'
import type { ProbeRecord } from '../../shared/measure/index.ts'
import {
  budgetOf,
  budgetOfField,
  evaluate,
  inTurn,
  type LatencyBudget,
  measureBeside,
  measureField,
  measureLatency,
  measureSoak,
  paced,
  type Run,
} from '../../shared/measure/index.ts'
import {
  type EngineChoice,
  loadOn,
  openHere,
  type Runtime,
  type Session,
  validateLate,
} from '../../shared/runtime/index.ts'
import { deviceRoot } from '../device-root/index.ts'
import type { MeasuredField, Phase } from './child-messages.ts'
import { readHeat } from './environment.ts'
import { EnvironmentMonitor } from './environment-monitor.ts'
import { readMemory, resetPeak } from './process-memory.ts'
import type { ProbeRequest, Side, SidesRequest } from './request.ts'
import { judge } from './verdict.ts'

/** Inputs that the timed runs take in turns: one input alone would stay in the caches, and may take a lucky branch. */
const INPUTS_IN_TURN = 8
/** Share of the time limit that answers may take; samples beyond it are left out. */
const EVALUATION_SHARE = 0.3

/** The whole measurement, in this process. @throws RuntimeError, DatasetError */
export async function probeHere(
  request: ProbeRequest,
  enter: (phase: Phase) => void,
): Promise<ProbeRecord> {
  validateLate()
  const dataset = await readDataset(request.datasetPath)
  resetPeak()
  const baseBytes = readMemory('self')?.now ?? process.memoryUsage.rss()

  const loaded = await loadedHere(request, dataset, enter)
  const { session, samples } = loaded

  enter('evaluating')
  const stopAfterMs = request.answersMs ?? EVALUATION_SHARE * request.timeoutMs
  const quality = await evaluate(session, dataset, { stopAfterMs })
  // Before the baseline joins: this is what the model alone takes.
  const peak = readMemory('self')?.peak ?? process.memoryUsage.rss()

  const { latency, ratio, monitor } = await measure(request, session, dataset, samples, enter)
  const surroundings = await monitor.finish(latency.n)
  const more = await furtherMeasured(request, runsInTurn(session, samples), enter)
  const memory = { baseBytes, overBaseBytes: Math.max(0, peak - baseBytes) }
  const measured = { latency, ratioToBaseline: ratio, peakMemoryBytes: peak, memory, quality }
  return recordOf(request, loaded, { ...measured, ...more }, surroundings)
}

/** A model in its runtime, run once. */
interface Loaded {
  readonly runtime: Runtime
  readonly session: Session
  readonly samples: Samples
  readonly loadMs: number
  readonly firstMs: number
}

async function loadedHere(
  { modelPath, engine, threads }: Side,
  dataset: Dataset,
  enter: (phase: Phase) => void,
): Promise<Loaded> {
  enter('loading')
  const [[runtime, session], loadMs] = await timed(() => load(modelPath, engine, { threads }))
  const samples = samplesFor(dataset, session.inputs)
  enter('first-run')
  const [, firstMs] = await timed(() => session.run(samples.at(0)))
  return { runtime, session, samples, loadMs, firstMs }
}

type Surroundings = Awaited<ReturnType<EnvironmentMonitor['finish']>>

function recordOf(
  side: Side & Pick<ProbeRequest, 'cores'>,
  { runtime, session, loadMs, firstMs }: Loaded,
  measured: Pick<ProbeRecord, 'latency' | 'ratioToBaseline' | 'peakMemoryBytes' | 'quality'> &
    Partial<ProbeRecord>,
  { before, after, evidence }: Surroundings,
): ProbeRecord {
  const { threads, cores } = side
  const { latency, quality } = measured
  return {
    probeVersion: 1,
    threads,
    ...(cores && { cores }),
    ...{ loadMs, firstMs },
    ...measured,
    ...(session.details === undefined ? {} : { runtime: { ...session.details } }),
    engine: measuredOn(side, runtime, session),
    environment: { before, after },
    evidence,
    ...judge({ threads, latency, quality, before, after, evidence }),
  }
}

/** Latencies of several in turns, in this process; of each one answer. @throws RuntimeError, DatasetError */
export async function fieldHere(
  { datasetPath, sides, measureMs, decides, root, cores }: SidesRequest,
  enter: (phase: Phase) => void,
): Promise<MeasuredField> {
  validateLate()
  const dataset = await readDataset(datasetPath)
  const entrants: Entrant[] = []
  for (const side of sides) entrants.push(await entrantHere(side, dataset, enter))
  const monitor = new EnvironmentMonitor(deviceRoot(root))
  enter('measuring')
  const runs = entrants.map(({ loaded }) => runsInTurn(loaded.session, loaded.samples))
  const budget = { ...budgetOfField(measureMs, runs.length), ...(decides && { decides }) }
  const measured = await measureField(runs, budget, hooksOf(monitor))
  const count = measured.reduce((sum, { latency }) => sum + latency.n, 0)
  const surroundings = await monitor.finish(count)
  return {
    sides: measured.map(({ latency, ratios }, place) => {
      const { side, loaded, ...own } = entrants[place] as Entrant
      const found = { latency, ratioToBaseline: null, ...own }
      return {
        record: recordOf({ ...side, cores }, loaded, found, surroundings),
        ratios: [...ratios],
      }
    }),
  }
}

interface Entrant extends Pick<ProbeRecord, 'peakMemoryBytes' | 'memory' | 'quality'> {
  readonly side: Side
  readonly loaded: Loaded
}

async function entrantHere(
  side: Side,
  dataset: Dataset,
  enter: (phase: Phase) => void,
): Promise<Entrant> {
  const resident = () => readMemory('self')?.now ?? process.memoryUsage.rss()
  const baseBytes = resident()
  const loaded = await loadedHere(side, dataset, enter)
  const quality = await evaluate(loaded.session, dataset, { stopAfterMs: 0 })
  const peakMemoryBytes = resident()
  const memory = { baseBytes, overBaseBytes: Math.max(0, peakMemoryBytes - baseBytes) }
  return { side, loaded, quality, peakMemoryBytes, memory }
}

function hooksOf(monitor: EnvironmentMonitor) {
  return {
    beforeBlocks: () => monitor.start(),
    afterBlock: (round: number) => monitor.afterBlock(round),
  }
}

/** What is asked for beside latency, by the model alone: last, since it leaves the device warm. */
async function furtherMeasured(
  { energy, measureMs, rateHz, root, soakMs }: ProbeRequest,
  run: (turn: number) => unknown,
  enter: (phase: Phase) => void,
): Promise<Pick<ProbeRecord, 'energy' | 'soak'>> {
  const rate = rateHz === undefined ? {} : { rateHz }
  const more: { -readonly [K in 'energy' | 'soak']?: ProbeRecord[K] } = {}
  if (energy === true) {
    const meter = findMeter(root)
    if (meter) enter('metering')
    more.energy = meter
      ? ((await measureEnergy(run, meter, { ms: measureMs, ...rate })) ?? null)
      : null
  }
  if (soakMs !== undefined) {
    enter('soaking')
    const device = deviceRoot(root)
    const look = () => readHeat(device)
    more.soak = await measureSoak(run, { ms: soakMs, look, ...rate })
  }
  return more
}

async function measure(
  request: ProbeRequest,
  session: Session,
  dataset: Dataset,
  samples: Samples,
  enter: (phase: Phase) => void,
) {
  const monitor = new EnvironmentMonitor(deviceRoot(request.root))
  const hooks = hooksOf(monitor)
  const budget = budgetFor(request)
  const run = runsInTurn(session, samples)
  if (request.baseline === null) {
    enter('measuring')
    return { latency: await measureLatency(run, budget, hooks), ratio: null, monitor }
  }
  enter('loading-baseline')
  const { modelPath, engine } = request.baseline
  const { threads = request.threads } = request.baseline
  const [, baseline] = await load(modelPath, engine, { threads })
  const baselineRun = runsInTurn(baseline, samplesFor(dataset, baseline.inputs))
  enter('measuring')
  return { ...(await measureBeside(run, baselineRun, budget, hooks)), monitor }
}

function budgetFor({ measureMs, rateHz, decides, baseline }: ProbeRequest): LatencyBudget {
  const budget = { ...budgetOf(measureMs), ...(decides && { decides }) }
  return rateHz === undefined ? budget : paced(budget, rateHz, baseline === null ? 1 : 2)
}

async function load(
  path: string,
  engine: EngineChoice,
  { threads }: Pick<ProbeRequest, 'threads'>,
): Promise<[Runtime, Session]> {
  const runtime = await openHere(engine)
  return [runtime, await loadOn(runtime, engine, await readFile(path), { threads })]
}

/** Measurements of different engines are never mixed: what tells them apart goes with the record. */
function measuredOn(
  { engine, threads }: Side,
  { name, version, library }: Runtime,
  { delegation }: Session,
): ProbeRecord['engine'] {
  return {
    runtime: name,
    version,
    threads,
    ...(library && { library }),
    ...(engine.delegates && {
      delegates: engine.delegates.map(({ path, options }) => ({ path, options })),
    }),
    ...(engine.device !== undefined && { device: engine.device }),
    ...(delegation && { delegation: delegation.map((one) => ({ ...one })) }),
  }
}

function runsInTurn(session: Session, samples: Samples): Run {
  const count = Math.min(INPUTS_IN_TURN, samples.count)
  const spread = Array.from({ length: count }, (_, i) =>
    samples.at(Math.floor((i * samples.count) / count)),
  )
  return inTurn(session, spread)
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = process.hrtime.bigint()
  const result = await work()
  return [result, Number(process.hrtime.bigint() - start) / 1e6]
}
