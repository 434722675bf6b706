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
import { underQuota } from './quota.ts'

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))
const DEMO = join(REPOSITORY, 'planner', 'demo', 'motor-faults')
const RUNS = Number(process.env.FITMENT_BENCH_RUNS ?? 20)
/** Processors that a container may have. */
const QUOTA = 0.5
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
      const capped = await underQuota(QUOTA, () => recordsWhile(probe, async () => true))
      if (capped === undefined) console.log('no probes under a quota: no groups may be made here')
      return [
        ...quietRows(quiet),
        disturbedRow(`beside ${cpus().length} hogs`, disturbed),
        ...(capped ? [disturbedRow(`held to ${QUOTA} of a processor`, capped)] : []),
      ]
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
  if (flagged > 0) console.log(`quiet: ${causes(records)}`)
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

function disturbedRow(how: string, records: readonly ProbeRecord[]): BenchRow {
  const flagged = records.filter(({ verdict }) => verdict !== 'ok').length
  const ratios = records.flatMap(({ ratioToBaseline }) => ratioToBaseline?.p50 ?? [])
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)]
  console.log(`${how}: ${causes(records)}`)
  return {
    name: `probes ${how} called disturbed`,
    measured: `${flagged} of ${records.length} (ratios ${least.toFixed(2)}–${most.toFixed(2)})`,
    baseline: `${RUNS} probes`,
    ratio: null,
    goal: '≥ 95 %',
    met: flagged >= 0.95 * records.length,
  }
}

/** By what each was known, the most frequent first. */
function causes(records: readonly ProbeRecord[]): string {
  const counts = new Map<string, number>()
  for (const flag of records.flatMap(({ flags }) => flags)) {
    counts.set(flag, (counts.get(flag) ?? 0) + 1)
  }
  const ordered = [...counts].sort(([, one], [, other]) => other - one)
  return ordered.map(([flag, count]) => `${flag} ${count}`).join(', ')
}
