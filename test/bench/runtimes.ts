import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchInChild } from '../../planner/cli/file/bench-child.ts'
import { readSamples } from '../../planner/data-folders/index.ts'
import { convertModel } from '../../planner/formats/index.ts'
import { quantize } from '../../planner/variants/quantizer.ts'
import { readDataset, takeSamples } from '../../shared/dataset/index.ts'
import { type EngineChoice, type ModelFormat, takesFormat } from '../../shared/runtime/index.ts'
import { parseScheme } from '../../shared/schemes.ts'
import { heldByThisHost } from '../host-processor.ts'
import { lacks, nativePath } from '../native/runtimes.ts'
import { sharedData } from '../shared-data.ts'
import { type Benchmark, type BenchRow, median } from './bench.ts'

const ROUNDS = 5
const SECONDS = 2
/** Ours against a loop in C on the same library. */
const GOAL = 1.03
/** Where memory lies moves a process by a tenth: both are started this often, the other one first each time. */
const PAIRS = 15

interface Subject {
  readonly name: string
  readonly files: Readonly<Partial<Record<ModelFormat, Uint8Array>>>
}

const ENGINES: readonly (readonly [title: string, engine: EngineChoice])[] = [
  ['litert (wasm)', { runtime: 'litert' }],
  ['tflite (LiteRT 2.3)', { runtime: 'tflite', library: nativePath('litert') }],
  ['tflite (2.9)', { runtime: 'tflite', library: nativePath('tflite') }],
  ['onnxruntime', { runtime: 'onnxruntime' }],
  ['openvino', { runtime: 'openvino', library: nativePath('openvino') }],
]

/** Issue 12: what an application's own library takes, beside what this program ships, each model in turns. */
export const runtimesBenchmark: Benchmark = {
  name: 'runtimes',
  unavailable: () => lacks('tflite') || lacks('litert') || lacks('openvino') || undefined,
  run: async () => {
    const rows: BenchRow[] = []
    const all = await subjects()
    for (const subject of all) rows.push(...(await compare(subject)))
    rows.push(...(await againstC(all)))
    return rows
  },
}

async function subjects(): Promise<Subject[]> {
  const demo = join(process.cwd(), 'planner', 'demo', 'motor-faults')
  const data = sharedData()
  const all = await both('motor-faults', join(demo, 'model.tflite'), join(demo, 'calibration.npz'))
  if (data === undefined) return all
  const ic01 = join(data, 'mlperf-tiny', 'ic01')
  all.push(...(await both('ic01', `${ic01}_float32.tflite`, `${ic01}_calibration.npz`)))
  return [...all, ...(await detector(join(data, '..', 'detection')))]
}

/** An .onnx source, which becomes .tflite for the others. */
async function detector(folder: string): Promise<Subject[]> {
  const path = join(folder, 'yolox_nano_416.onnx')
  const onnx = readFileSync(path)
  const tflite = (await convertModel(onnx, 'onnx', 'tflite', path)).bytes
  const preprocess = 'resize 416 letterbox 114, bgr, nchw, 0-255'
  const images = await readSamples(join(folder, 'images'), { preprocess, kind: 'any' })
  const calibration = takeSamples(images, 16)
  const int8 = async (model: Uint8Array, target: 'litert' | 'onnxruntime', scheme: string) => {
    // Figures are of speed: what wins accuracy back takes minutes here.
    const order = {
      model,
      target,
      scheme: parseScheme(scheme),
      calibration,
      options: { recovery: [] },
    }
    return (await quantize(order)).bytes
  }
  return [
    { name: 'YOLOX-nano float32', files: { tflite, onnx } },
    {
      name: 'YOLOX-nano int8',
      files: {
        tflite: await int8(tflite, 'litert', 'static-w8a8'),
        onnx: await int8(onnx, 'onnxruntime', heldByThisHost('static-w8a8-u8s8')),
      },
    },
  ]
}

/** A float .tflite and its int8, each in both formats. */
async function both(name: string, path: string, samples: string): Promise<Subject[]> {
  const float = readFileSync(path)
  const onnx = (await convertModel(float, 'tflite', 'onnx', path)).bytes
  const calibration = await readDataset(samples)
  const int8 = async (model: Uint8Array, target: 'litert' | 'onnxruntime', scheme: string) =>
    (await quantize({ model, target, scheme: parseScheme(scheme), calibration })).bytes
  return [
    { name: `${name} float32`, files: { tflite: float, onnx } },
    {
      name: `${name} int8`,
      files: {
        tflite: await int8(float, 'litert', 'static-w8a8-io8'),
        onnx: await int8(onnx, 'onnxruntime', heldByThisHost('static-w8a8-u8s8')),
      },
    },
  ]
}

async function compare({ name, files }: Subject): Promise<BenchRow[]> {
  const contestants = ENGINES.flatMap(([title, engine]) => {
    const format = (['tflite', 'onnx'] as const).find(
      (one) => files[one] !== undefined && takesFormat(engine.runtime, one),
    )
    const model = format && files[format]
    return model === undefined ? [] : [{ title, engine, model, times: [] as number[] }]
  })
  for (let round = 0; round < ROUNDS; round += 1)
    for (const { engine, model, times } of contestants) times.push(await p50Of(engine, model))
  const [first] = contestants
  return contestants.slice(1).map(({ title, times }) => {
    const baseline = median(first?.times ?? [])
    const ratio = median(times) / baseline
    return {
      name: `${name}, ${title}`,
      measured: `${median(times).toFixed(3)} ms`,
      baseline: `${baseline.toFixed(3)} ms, ${first?.title}`,
      ratio,
      goal: 'told',
      met: true,
    }
  })
}

async function p50Of(engine: EngineChoice, model: Uint8Array): Promise<number> {
  const request = { model, engine, data: undefined, threads: 1, seconds: SECONDS }
  return (await benchInChild(request, () => {})).latency.p50Ms
}

/** The same file in the same library, run by C: what lies between is ours. */
async function againstC(all: readonly Subject[]): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fitment-loop-'))
  try {
    const library = nativePath('tflite')
    const program = join(folder, 'loop')
    const source = join(process.cwd(), 'test', 'native', 'loop.c')
    const flags = ['-O2', '-I', nativePath('tfliteHeaders'), source, library]
    execFileSync('gcc', [...flags, `-Wl,-rpath,${join(library, '..')}`, '-o', program])
    const engine = { runtime: 'tflite', library } as const
    const rows: BenchRow[] = []
    for (const { name, files } of all) {
      const model = files.tflite
      if (model === undefined) continue
      const path = join(folder, 'model.tflite')
      writeFileSync(path, model)
      const pairs: Pair[] = []
      for (let round = 0; round < PAIRS; round += 1)
        pairs.push(await pairOf(engine, model, [program, path], round % 2 === 0))
      const ratio = median(pairs.map(({ ours, theirs }) => ours / theirs))
      rows.push({
        name: `${name}, tflite (2.9) by fitment bench`,
        measured: `${median(pairs.map(({ ours }) => ours)).toFixed(3)} ms`,
        baseline: `${median(pairs.map(({ theirs }) => theirs)).toFixed(3)} ms by a loop in C`,
        ratio,
        goal: `≤ ${GOAL}×`,
        met: ratio <= GOAL,
      })
    }
    return rows
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** p50 in ms, measured one right after the other. */
interface Pair {
  readonly ours: number
  readonly theirs: number
}

async function pairOf(
  engine: EngineChoice,
  model: Uint8Array,
  [program, path]: readonly [string, string],
  oursFirst: boolean,
): Promise<Pair> {
  const loop = (runs: number) =>
    Number(execFileSync(program, [path, String(runs)], { stdio: ['ignore', 'pipe', 'ignore'] }))
  const early = oursFirst ? await p50Of(engine, model) : undefined
  // As long as ours takes, in runs.
  const runsIn = (p50: number) => Math.max(20, Math.min(8000, Math.round((1000 * SECONDS) / p50)))
  const theirs = loop(runsIn(early ?? loop(20)))
  return { ours: early ?? (await p50Of(engine, model)), theirs }
}
