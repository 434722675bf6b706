import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { awaitQuiet, runProbe } from '../../agent/probe/index.ts'
import type { ProbeRecord } from '../../shared/measure/index.ts'
import type { Benchmark, BenchRow } from './bench.ts'
import { beside } from './hogs.ts'

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))
const DEMO = join(REPOSITORY, 'planner', 'demo', 'motor-faults')
const RUNS = 20
/** As a duel on a device. */
const MEASURE_MS = 3_000
/** This host is waited for so long before it counts as one that never rests. */
const PATIENCE_MS = 30_000

/** Whether disturbed measurements are known as such, and undisturbed ones are not called so. */
export const disturbanceBenchmark: Benchmark = {
  name: 'disturbance',
  unavailable: () => (process.platform === 'linux' ? undefined : 'reads /proc'),
  run: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fitment-disturbed-'))
    try {
      const probe = probeOf(await integerModel(directory))
      const quiet = await recordsWhile(probe, () => awaitQuiet('/', PATIENCE_MS))
      const disturbed = await beside(cpus().length, () => recordsWhile(probe, async () => true))
      return [...quietRows(quiet), disturbedRow(disturbed)]
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
}

async function integerModel(directory: string): Promise<string> {
  const out = join(directory, 'int8.tflite')
  const cli = join(REPOSITORY, 'dist', 'planner', 'cli', 'main.js')
  const calibration = ['--calibration', join(DEMO, 'calibration.npz')]
  const scheme = ['--scheme', 'static-w8a8', ...calibration, '-o', out]
  await promisify(execFile)(process.execPath, [
    cli,
    'quantize',
    join(DEMO, 'model.tflite'),
    ...scheme,
  ])
  return out
}

function probeOf(modelPath: string): () => Promise<ProbeRecord> {
  const engine = { runtime: 'litert' } as const
  return () =>
    runProbe({
      modelPath,
      engine,
      threads: 1,
      datasetPath: join(DEMO, 'test.npz'),
      baseline: { modelPath: join(DEMO, 'model.tflite'), engine },
      measureMs: MEASURE_MS,
      answersMs: 500,
      timeoutMs: 120_000,
      memoryLimitBytes: null,
      root: '/',
    })
}

/** Those that could be made: a host that never rests has no quiet ones. */
async function recordsWhile(
  probe: () => Promise<ProbeRecord>,
  ready: () => Promise<boolean>,
): Promise<readonly ProbeRecord[]> {
  const records: ProbeRecord[] = []
  for (let run = 0; run < RUNS; run++) {
    if (!(await ready())) break
    records.push(await probe())
  }
  return records
}

function quietRows(records: readonly ProbeRecord[]): readonly BenchRow[] {
  if (records.length < RUNS) {
    console.log(`quiet probes not measured: this host did not rest within ${PATIENCE_MS / 1000} s`)
    return []
  }
  const flagged = records.filter(({ verdict }) => verdict !== 'ok').length
  return [
    {
      name: 'quiet probes called disturbed',
      measured: `${flagged} of ${records.length}`,
      baseline: `${RUNS} probes`,
      ratio: null,
      goal: '≤ 5 %',
      met: flagged <= 0.05 * records.length,
    },
  ]
}

function disturbedRow(records: readonly ProbeRecord[]): BenchRow {
  const flagged = records.filter(({ verdict }) => verdict !== 'ok').length
  const ratios = records.flatMap(({ ratioToBaseline }) => ratioToBaseline?.p50 ?? [])
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)]
  return {
    name: `probes beside ${cpus().length} hogs called disturbed`,
    measured: `${flagged} of ${records.length} (ratios ${least.toFixed(2)}–${most.toFixed(2)})`,
    baseline: `${RUNS} probes`,
    ratio: null,
    goal: '≥ 95 %',
    met: flagged >= 0.95 * records.length,
  }
}
