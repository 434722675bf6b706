import { readDataset, type Samples, samplesFor } from '../../../shared/dataset/index.ts'
import { findMeter, measureEnergy } from '../../../shared/energy/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import {
  budgetOf,
  type EnergyRecord,
  inTurn,
  type LatencyBudget,
  type LatencyRecord,
  measureLatency,
  measureSoak,
  paced,
  type SoakRecord,
  type Tried,
} from '../../../shared/measure/index.ts'
import {
  type Delegation,
  type EngineChoice,
  loadOn,
  openHere,
  type PartTime,
  printType,
  type Runtime,
  type SessionDetails,
  type TensorInfo,
} from '../../../shared/runtime/index.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../../shared/tensors.ts'

export interface BenchRequest {
  readonly model: Uint8Array
  readonly engine: EngineChoice
  readonly data: string | undefined
  readonly threads: number
  readonly seconds: number
  /** Whether to ask the runtime's profiler, after the measurement. */
  readonly profile?: boolean
  /** Also at this rate, runs a second. */
  readonly rateHz?: number | undefined
  /** Also for so long without a pause, ms. */
  readonly soakMs?: number | undefined
  /** Also the energy of a run, where there is a meter. */
  readonly energy?: boolean
  /** Where /sys is found. */
  readonly root?: string
}

export interface BenchRecord {
  readonly runtime: { readonly name: string; readonly version: string }
  /** Of native runtimes. */
  readonly library?: { readonly path: string; readonly version: string; readonly digest: string }
  readonly delegates?: readonly Delegation[]
  readonly details?: SessionDetails
  readonly threads: number
  readonly loadMs: number
  readonly firstMs: number
  readonly inputs: 'data' | 'noise'
  readonly latency: LatencyRecord
  /** At the application's rate. */
  readonly paced?: LatencyRecord
  readonly soak?: SoakRecord
  /** Null: no meter that can be read. */
  readonly energy?: EnergyRecord | null
  /** Threads and cores that were tried, of which the best was measured. */
  readonly tried?: readonly Tried[]
  /** Processors it was kept on. */
  readonly cores?: readonly number[]
  /** Slower than `latency` by what profiling costs. */
  readonly parts?: readonly PartTime[]
}

/** In this process: nothing lies between the clock and the runtime. @throws RuntimeError, DatasetError, UsageError */
export async function benchHere(
  request: BenchRequest,
  afterBlock: (round: number) => void,
): Promise<BenchRecord> {
  const { model, engine, threads } = request
  const samples = request.data === undefined ? undefined : await readDataset(request.data)
  const runtime = await openHere(engine)
  const loadStart = performance.now()
  const session = await loadOn(runtime, engine, model, { threads })
  const loadMs = performance.now() - loadStart
  const inputs = samples ? samplesFor(samples, session.inputs) : noiseFor(session.inputs)
  const firstStart = performance.now()
  await session.run(inputs.at(0))
  const firstMs = performance.now() - firstStart
  const rotated = Array.from({ length: Math.min(8, inputs.count) }, (_, i) => inputs.at(i))
  const run = inTurn(session, rotated)
  const budget = budgetOf(request.seconds * 1000)
  const latency = await measureLatency(run, budget, { afterBlock })
  const further = await furtherMeasured(request, run, budget)
  const { delegation, details } = session
  const { name, version, library } = runtime
  await session.close()
  const parts = request.profile ? await partTimes(runtime, request, rotated[0] ?? {}) : undefined
  return {
    runtime: { name, version },
    ...(library && { library: { ...library, version } }),
    ...(delegation && { delegates: delegation }),
    ...(details && { details }),
    threads,
    loadMs,
    firstMs,
    inputs: samples ? 'data' : 'noise',
    latency,
    ...further,
    ...(parts && { parts }),
  }
}

/** What is asked for beside the hot loop; the longest last, since it leaves the machine warm. */
async function furtherMeasured(
  { rateHz, soakMs, energy, seconds, root = '/' }: BenchRequest,
  run: (turn: number) => unknown,
  budget: LatencyBudget,
): Promise<Pick<BenchRecord, 'paced' | 'soak' | 'energy'>> {
  const rate = rateHz === undefined ? {} : { rateHz }
  const slowly = rateHz === undefined ? undefined : await measureLatency(run, paced(budget, rateHz))
  const meter = energy === true ? findMeter(root) : undefined
  const spent = meter && (await measureEnergy(run, meter, { ms: seconds * 1000, ...rate }))
  const soak = soakMs === undefined ? undefined : await measureSoak(run, { ms: soakMs, ...rate })
  return {
    ...(slowly && { paced: slowly }),
    ...(energy === true && { energy: spent ?? null }),
    ...(soak && { soak }),
  }
}

const PROFILED_RUNS = 20

async function partTimes(
  runtime: Runtime,
  { engine, model, threads }: BenchRequest,
  inputs: Readonly<Record<string, Tensor>>,
): Promise<readonly PartTime[]> {
  const session = await loadOn(runtime, engine, model, { threads, profile: true })
  try {
    if (session.profile) return await session.profile(inputs, PROFILED_RUNS)
    throw new UsageError(`${runtime.name} ${runtime.version} has no profiler: leave out --profile`)
  } finally {
    await session.close()
  }
}

const NOISE_SEED = 1

/** Uniform in [0, 1) for floats, over the low byte for integers. */
function noiseFor(inputs: readonly TensorInfo[]): Samples {
  let state = NOISE_SEED
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 24
  }
  const make = ({ name, type, shape }: TensorInfo): Tensor => {
    if (shape.slice(1).some((dim) => dim < 0)) {
      throw new UsageError(
        `input "${name}" takes ${printType({ type, shape })}: say how large with --shape "${name}=…", or give --data`,
      )
    }
    const closed = shape.map((dim) => (dim < 0 ? 1 : dim))
    const data = new ARRAY_OF[type](sizeOf(closed))
    const wide = type === 'int64' || type === 'uint64'
    const real = type === 'float32' || type === 'float64'
    for (let i = 0; i < data.length; i += 1) {
      data[i] = (wide ? 0n : real ? next() : Math.floor(next() * 128)) as never
    }
    return { type, shape: closed, data }
  }
  return { count: 8, at: () => Object.fromEntries(inputs.map((info) => [info.name, make(info)])) }
}
