import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installedModelSchema } from '../../agent/artifacts/index.ts'
import { ModelObserver, readCurrent } from '../../agent/client/index.ts'
import { connectPlanner } from '../../planner/api/index.ts'
import { readDataset, samplesFor } from '../../shared/dataset/index.ts'
import { dequantized } from '../../shared/metrics/index.ts'
import { loadRuntime } from '../../shared/runtime/index.ts'
import type { Tensor } from '../../shared/tensors.ts'
import { stateDirOf } from '../agent/device.ts'
import { fewSamples, SMALL_MODEL } from '../planner/variants/small-model.ts'
import { withWeights } from './changed-model.ts'
import { fitment } from './command-line.ts'
import { Running, until } from './running.ts'

/**
 * A revision that answers its self-test as it should, and whose answers in the field go wrong an hour later. Planner,
 * agent, model and runtime are real; an hour of the story is a window of three seconds.
 */
t.setTimeout(900_000)

const HOUR_S = 3
const INFERENCES_AN_HOUR = 150

/** An application that runs the model on the test samples, and hands every inference to its observer. */
class Application {
  /** What the world does to its inputs. */
  gain = 1
  readonly #stateDir: string
  readonly #samples: string
  readonly #stop = new AbortController()
  readonly #over: Promise<void>

  constructor(stateDir: string, samples: string) {
    this.#stateDir = stateDir
    this.#samples = samples
    this.#over = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#over
  }

  async #run(): Promise<void> {
    const dataset = await readDataset(this.#samples)
    const runtime = await loadRuntime('litert')
    while (!this.#stop.signal.aborted) {
      const current = await readCurrent(this.#stateDir, 'motor')
      if (current)
        await this.#infer(current, await runtime.load(readFileSync(current.file)), dataset)
      else await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  /** With one variant, until `current` names another. */
  async #infer(
    { slot }: NonNullable<Awaited<ReturnType<typeof readCurrent>>>,
    session: Awaited<ReturnType<Awaited<ReturnType<typeof loadRuntime>>['load']>>,
    dataset: Awaited<ReturnType<typeof readDataset>>,
  ): Promise<void> {
    const samples = samplesFor(dataset, session.inputs)
    const observer = new ModelObserver(this.#stateDir, 'motor', { variant: slot.variant })
    const real = (infos: typeof session.inputs, tensors: Readonly<Record<string, Tensor>>) =>
      Object.fromEntries(
        infos.map((info) => [info.name, dequantized(info, tensors[info.name] as Tensor)]),
      )
    for (let i = 0; !this.#stop.signal.aborted; i += 1) {
      const inputs = this.#amplified(samples.at(i % samples.count))
      const started = performance.now()
      const outputs = await session.run(inputs)
      observer.observe({
        latencyMs: performance.now() - started,
        outputs: real(session.outputs, outputs),
        inputs: () => real(session.inputs, inputs),
      })
      await new Promise((resolve) => setTimeout(resolve, (1000 * HOUR_S) / INFERENCES_AN_HOUR))
      if (i % 20 === 19) {
        const now = await readCurrent(this.#stateDir, 'motor')
        if (now?.slot.variant !== slot.variant) break
      }
    }
    await observer.close()
    await session.close()
  }

  #amplified(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const amplified = (one: Tensor): Tensor =>
      one.data instanceof Float32Array ? { ...one, data: one.data.map((x) => this.gain * x) } : one
    return Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, amplified(one)]))
  }
}

t.test('a revision that drifts after an hour is taken back, with the evidence', async (t) => {
  const dir = t.testdir({})
  const data = join(dir, 'planner')
  const here = ['--data', data]
  const planner = connectPlanner(data)
  const running = new Running(t)
  const address = await running.serve(data, '--port', '0', '--probe-ms', '200')
  // Short: a socket's path has room for 107 bytes.
  const stateDir = stateDirOf(t)
  const device = ['--threads', '1', '--runtimes', 'litert', '--observe-seconds', `${HOUR_S}`]
  running.agent('press', stateDir, address, device)
  const calibration = join(dir, 'c.npz')
  const test = join(dir, 't.npz')
  const nudged = join(dir, 'nudged.tflite')
  writeFileSync(calibration, await fewSamples('calibration', 16))
  writeFileSync(test, await fewSamples('test', 300))
  writeFileSync(
    nudged,
    withWeights((weight) => weight * 1.0001),
  )
  const limits = ['--max-accuracy-drop', '5', '--max-bytes', '70KB', ...here]
  const add = (model: string) =>
    fitment(
      'models',
      'add',
      'motor',
      '--model',
      model,
      '--calibration',
      calibration,
      '--test',
      test,
      ...limits,
    )
  const told = () => {
    const file = join(stateDir, 'slots', 'motor', 'current', 'model.json')
    return installedModelSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  }
  await until('a device', async () =>
    (await planner.call('devices.list', {})).some(({ online }) => online) ? true : undefined,
  )
  t.equal((await add(SMALL_MODEL)).code, 0)
  const first = await fitment('rollout', 'start', 'motor', '--accept-noise', '--wait', ...here)
  t.equal(first.code, 0, first.out + first.err)
  t.equal(told().revision, 1)
  t.ok(told().sketch, 'what it is observed by came with it')
  const application = new Application(stateDir, test)
  t.teardown(() => application.stop())
  const windowOf = (revision: number) =>
    until(`a window of revision ${revision}`, async () =>
      (await planner.call('health', { model: 'motor', days: 1 })).devices.find(
        (row) => row.revision === revision && row.inferences > 50,
      ),
    )
  t.match(await windowOf(1), { drift: 0, notFinite: 0, foreign: 0 }, 'nothing has changed')

  t.equal((await add(nudged)).code, 0)
  const gate = ['--health', 'drift<0.2', '--watch', `${20 * HOUR_S}s`, '--waves', '1,100%']
  const rollout = fitment('rollout', 'start', 'motor', ...gate, '--accept-noise', '--wait', ...here)
  t.match(await windowOf(2), { drift: 0 }, 'it installed well, and does well for an hour')
  t.equal(told().revision, 2)
  application.gain = 6
  const ended = await rollout
  t.equal(ended.code, 1)
  t.match(ended.out, /aborted/)
  t.match(ended.out, /drift [\d.]+ where drift<0\.2 was asked \(.*PSI [\d.]+.*samples against/)
  await until('revision 1 again', async () => (told().revision === 1 ? true : undefined))
  t.comment(ended.out)
  t.match(await fitment('health', 'motor', ...here), { out: /DEVICE +REV +SCHEME/ })
  const alarms = await until('an alarm', async () => {
    const rows = await planner.call('alarms.list', { model: 'motor', all: false })
    return rows.some(({ rule }) => rule === 'drift') ? rows : undefined
  })
  t.match(
    alarms.find(({ rule }) => rule === 'drift'),
    { device: 'press', evidence: /PSI/ },
  )
  t.match(await fitment('alarms', 'motor', ...here), { code: 1, out: /press +drift +raised/ })
  t.match(await fitment('rollout', 'start', 'motor', '--watch', '2h', ...here), {
    code: 2,
    err: /say for what by --health/,
  })
  t.match(await fitment('rollout', 'start', 'motor', '--health', 'dirft<1', ...here), {
    code: 2,
    err: /figures are drift/,
  })
  await application.stop()
  await running.stop()
})
