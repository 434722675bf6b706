import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type ProbeRequest, runProbe } from '../../../agent/probe/index.ts'
import { writeNpz } from '../../../shared/dataset/index.ts'
import { probeRecordSchema } from '../../../shared/measure/records.ts'
import { tensor } from '../../../shared/tensors.ts'
import { modelPath } from '../../fixture-models.ts'
import { lacks, nativePath } from '../../native/runtimes.ts'

const folder = t.testdir({ 'garbage.tflite': 'this is no model but long enough to look at' })
const data = join(folder, 'data.npz')
const samples = 24
await writeNpz(data, [
  [
    'x',
    tensor(
      'float32',
      [samples, 4],
      Float32Array.from({ length: 96 }, (_, i) => (i % 13) / 7 - 1),
    ),
  ],
  ['y', tensor('int32', [samples], new Int32Array(samples).fill(1))],
  ['reference', tensor('float32', [samples, 3], new Float32Array(samples * 3).fill(1 / 3))],
])

const one = join(folder, 'one.npz')
await writeNpz(one, [['x', tensor('float32', [1, 4], new Float32Array(4))]])

const request = (more: Partial<ProbeRequest> = {}): ProbeRequest => ({
  modelPath: modelPath('dense-int8.tflite'),
  engine: { runtime: 'litert' },
  threads: 1,
  datasetPath: data,
  baseline: null,
  measureMs: 200,
  timeoutMs: 30_000,
  memoryLimitBytes: null,
  root: '/',
  ...more,
})

/** Measures until it is interrupted. */
const slow = () =>
  request({
    modelPath: modelPath('slow.tflite'),
    datasetPath: one,
    measureMs: 60_000,
    timeoutMs: 60_000,
  })

t.test('measures a variant beside its baseline', async (t) => {
  const baseline = { modelPath: modelPath('dense.tflite'), engine: { runtime: 'litert' } } as const
  const record = await runProbe(request({ baseline }))
  t.same(probeRecordSchema.parse(JSON.parse(JSON.stringify(record))), record)
  t.match(record.engine, { runtime: 'litert', threads: 1, version: /^\d/ })
  t.match(record, { probeVersion: 1, threads: 1, runtime: { threads: 1, kernels: 'xnnpack' } })
  t.ok(record.loadMs > 0 && record.firstMs > 0)
  t.ok(record.latency.n >= 10 && record.latency.p50Ms > 0)
  t.match(record.quality, { samples, notes: [] })
  t.type(record.quality.accuracy, 'number')
  t.type(record.quality.sqnrDb, 'number')
  const ratio = record.ratioToBaseline
  t.ok(ratio && ratio.ci95[0] <= ratio.p50 && ratio.p50 <= ratio.ci95[1] && ratio.p50 > 0.05)
  // Node and the wasm build alone take more than 40 MB, and this model hardly anything.
  t.ok(record.peakMemoryBytes > 40e6 && record.peakMemoryBytes < 400e6)
  t.ok((record.memory?.overBaseBytes ?? 0) > 5e6)
  t.ok(record.environment?.after.availableBytes)
  t.ok((record.evidence?.cpuShare ?? 0) > 0)
})

t.test('the other runtime, and runtimes against each other', async (t) => {
  const baseline = { modelPath: modelPath('dense.tflite'), engine: { runtime: 'litert' } } as const
  const record = await runProbe(
    request({ modelPath: modelPath('dense.onnx'), engine: { runtime: 'onnxruntime' }, baseline }),
  )
  t.ok(record.ratioToBaseline)
  t.match(record.runtime, { providers: 'cpu' })
})

t.test('failures are results, each with its reason', async (t) => {
  const failing: [string, Partial<ProbeRequest>, object][] = [
    [
      'no model',
      { modelPath: join(folder, 'garbage.tflite') },
      { code: 'not-loadable', message: /not a \.tflite model/ },
    ],
    [
      'no such file',
      { modelPath: join(folder, 'absent.tflite') },
      { code: 'run-failed', message: /ENOENT/ },
    ],
    [
      'model of the other runtime',
      { modelPath: modelPath('dense.onnx') },
      { code: 'not-loadable' },
    ],
    [
      'data of another model',
      { modelPath: modelPath('two-inputs.tflite') },
      { code: 'wrong-data', message: /"(left|right)"/ },
    ],
    ['no data', { datasetPath: join(folder, 'garbage.tflite') }, { code: 'wrong-data' }],
    ['too slow', { timeoutMs: 60 }, { code: 'timeout', message: /took longer than 60 ms while/ }],
    [
      'too much memory',
      { memoryLimitBytes: 50_000_000 },
      { code: 'out-of-memory', message: /over its 47\.7 MiB/ },
    ],
  ]
  for (const [name, more, error] of failing)
    await t.rejects(runProbe(request(more)), { name: 'ProbeError', ...error }, name)
  const { details } = await runProbe(request({ memoryLimitBytes: 50_000_000 })).catch((e) => e)
  t.ok(details.peakMemoryBytes > 50_000_000, `peak ${details.peakMemoryBytes}`)
  t.same(childrenOf(process.pid), [], 'no process is left')
})

for (const thing of ['tflite', 'litert', 'openvino'] as const)
  t.test(`${thing}: a native library, beside itself`, { skip: lacks(thing) }, async (t) => {
    const runtime = thing === 'openvino' ? 'openvino' : 'tflite'
    const engine = { runtime, library: nativePath(thing) } as const
    const baseline = { modelPath: modelPath('dense.tflite'), engine } as const
    const record = await runProbe(request({ engine, baseline }))
    t.ok(record.ratioToBaseline)
    t.match(record.engine, { runtime, library: { path: String, digest: /^[0-9a-f]{64}$/ } })
    t.equal(record.engine?.delegation?.[0]?.path, thing === 'tflite' ? 'xnnpack' : undefined)
  })

t.test('without room for two, one is measured alone', async (t) => {
  const alone = await runProbe(request())
  const big = join(folder, 'big.tflite')
  // A baseline of the model's size plus 150 MB that its file drags along.
  writeFileSync(big, Buffer.concat([readFileSync(modelPath('dense.tflite')), Buffer.alloc(150e6)]))
  const record = await runProbe(
    request({
      baseline: { modelPath: big, engine: { runtime: 'litert' } },
      memoryLimitBytes: alone.peakMemoryBytes + 60_000_000,
    }),
  )
  t.equal(record.ratioToBaseline, null)
  t.ok(record.flags.includes('no-room-for-baseline'))
})

t.test('without room for both at once, their processes take turns', async (t) => {
  const padded = (name: string, model: string) => {
    const path = join(folder, name)
    writeFileSync(path, Buffer.concat([readFileSync(modelPath(model)), Buffer.alloc(100e6)]))
    return path
  }
  const one = padded('one.tflite', 'dense-int8.tflite')
  const other = padded('other.tflite', 'dense.tflite')
  const { peakMemoryBytes } = await runProbe(request({ modelPath: one }))
  const record = await runProbe(
    request({
      modelPath: one,
      baseline: { modelPath: other, engine: { runtime: 'litert' } },
      memoryLimitBytes: peakMemoryBytes + 60_000_000,
      timeoutMs: 120_000,
    }),
  )
  t.ok(record.flags.includes('alternating-processes'), record.flags.join(', '))
  t.equal(record.ratioToBaseline?.rounds, 6)
  const { p50 = 0, ci95 = [0, 0] } = record.ratioToBaseline ?? {}
  t.ok(ci95[0] <= p50 && p50 <= ci95[1])
  t.equal(record.quality.samples, samples, 'its answers are all there')
})

t.test('a child that dies says how, and where', async (t) => {
  for (const [signal, code] of [
    ['SIGSEGV', 'crashed'],
    ['SIGKILL', 'out-of-memory'],
  ] as const) {
    const onPhase = (phase: string) => {
      const [pid] = childrenOf(process.pid)
      if (phase === 'measuring' && pid !== undefined) process.kill(pid, signal)
    }
    await t.rejects(runProbe(slow(), { onPhase }), {
      code,
      message: /while measuring/,
      details: { phase: 'measuring' },
    })
  }
})

t.test('cancelled before and during', async (t) => {
  await t.rejects(runProbe(slow(), { signal: AbortSignal.abort() }), { code: 'cancelled' })
  const abort = new AbortController()
  const onPhase = (phase: string) => phase === 'measuring' && abort.abort()
  await t.rejects(runProbe(slow(), { signal: abort.signal, onPhase }), { code: 'cancelled' })
  t.same(childrenOf(process.pid), [])
})

t.test('no child survives an agent that is killed', async (t) => {
  const entry = new URL('../../../agent/probe/index.js', import.meta.url).href
  const script = join(folder, 'agent.mjs')
  writeFileSync(
    script,
    `const { runProbe } = await import(${JSON.stringify(entry)})
    await runProbe(${JSON.stringify(slow())}, { onPhase: (phase) => console.log(phase) })`,
  )
  const agent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const said of agent.stdout) if (`${said}`.includes('measuring')) break
  const [child = 0] = childrenOf(agent.pid ?? 0)
  t.ok(isAlive(child))
  agent.kill('SIGKILL')
  for (let waited = 0; waited < 20_000 && isAlive(child); waited += 50) await sleep(50)
  t.notOk(isAlive(child))
})

/** Direct children, without the threads' helpers of the runtime. (proc(5), children.) */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      .split(' ')
      .filter((text) => text.trim() !== '')
      .map(Number)
      .filter(isAlive),
  )
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
