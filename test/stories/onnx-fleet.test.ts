import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installedModelSchema } from '../../agent/artifacts/index.ts'
import { connectPlanner } from '../../planner/api/index.ts'
import { deviceTree } from '../device-trees.ts'
import { lacks, nativePath } from '../native/runtimes.ts'
import { buildDelegates, lacksDelegates } from '../native/test-delegate.ts'
import { fewSamples, SMALL_MODEL } from '../planner/variants/small-model.ts'
import { fitment } from './command-line.ts'
import { Running, until } from './running.ts'

/**
 * One .onnx source in a fleet of three kinds of devices: one whose application links ONNX Runtime, one with native
 * LiteRT, one board with an Ethos-U65. Three files come of it, judged by one metric on the same test data. The board is
 * this host under another's device tree, and what stands in for the vendor's delegate cannot run what Vela compiled: that
 * file is judged by what it was compiled from, and the board runs another.
 */
t.setTimeout(900_000)

const skip = lacks('litert') || lacks('vela') || lacksDelegates()
const ETHOS = 'ethos-u65-256'

t.test('one .onnx source becomes what each runtime and accelerator takes', { skip }, async (t) => {
  const dir = t.testdir({})
  const source = join(dir, 'motor.onnx')
  const converted = await fitment('convert', SMALL_MODEL, '-o', source)
  t.equal(converted.code, 0, converted.err)

  const data = join(dir, 'planner')
  const running = new Running(t)
  const planner = connectPlanner(data)
  const before = process.env.FITMENT_VELA
  process.env.FITMENT_VELA = nativePath('vela')
  t.teardown(() => {
    if (before === undefined) delete process.env.FITMENT_VELA
    else process.env.FITMENT_VELA = before
  })
  const address = await running.serve(data, '--port', '0', '--probe-ms', '200')
  const { conv } = buildDelegates(dir)
  const start = (device: string, ...flags: string[]) =>
    running.agent(device, join(dir, device), address, ['--threads', '1', ...flags])
  start('onnx', '--runtimes', 'onnxruntime')
  start('native', '--runtimes', 'tflite', '--library', `tflite=${nativePath('litert')}`)
  const old = ['--library', `tflite=${nativePath('tflite')}`, '--delegate', `ethos-u=${conv}`]
  start('board', '--root', deviceTree('imx93-evk'), '--runtimes', 'tflite', ...old)
  const devices = await until('three devices', async () => {
    const all = await planner.call('devices.list', {})
    return all.length === 3 && all.every(({ online }) => online) ? all : undefined
  })
  const classOf = (device: string) => devices.find(({ id }) => id === device)?.class ?? ''
  t.match(classOf('board'), /^imx93/)

  writeFileSync(join(dir, 'c.npz'), await fewSamples('calibration', 16))
  writeFileSync(join(dir, 't.npz'), await fewSamples('test', 96))
  const samples = ['--calibration', join(dir, 'c.npz'), '--test', join(dir, 't.npz')]
  const files = ['--model', source, ...samples]
  const limits = ['--max-accuracy-drop', '20', '--data', data]
  const added = await fitment('models', 'add', 'motor', ...files, ...limits)
  t.equal(added.code, 0, added.err)
  await fitment('rollout', 'start', 'motor', '--accept-noise', '--data', data)
  await until('three installations', async () => {
    const all = await planner.call('devices.list', {})
    return all.every(({ installed }) => installed.some(({ active }) => active)) ? all : undefined
  })

  const installed = (device: string) => {
    const file = join(dir, device, 'slots', 'motor', 'current', 'model.json')
    return installedModelSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  }
  t.match(installed('onnx'), { runtime: 'onnxruntime', file: 'model.onnx' })
  t.match(installed('native'), { runtime: 'tflite', file: 'model.tflite' })

  const { plans } = await until('the file for the accelerator', async () => {
    const shown = await planner.call('models.show', { model: 'motor' })
    const candidates = shown.plans.flatMap((plan) => plan.candidates)
    return candidates.some(({ runtime, host }) => runtime === ETHOS && host !== null)
      ? shown
      : undefined
  })
  const winnerOf = (device: string) => {
    const plan = plans.find(({ class: id }) => id === classOf(device))
    return plan?.candidates.find(({ verdict }) => verdict === 'chosen')
  }
  const compiled = plans.flatMap(({ candidates }) =>
    candidates.filter(({ runtime, host }) => runtime === ETHOS && host !== null),
  )[0]
  t.match(
    compiled?.findings.find(({ code }) => code === 'compiled')?.message,
    /^vela 5\.2\.0: (\d+) of \1 operators on the accelerator/,
  )
  const three = [winnerOf('onnx'), winnerOf('native'), compiled]
  t.equal(new Set(three.map((one) => one?.digest)).size, 3, 'three files')

  const { out } = await fitment('plan', 'motor', '--data', data)
  for (const one of three) {
    const accuracy = one?.measured?.accuracy ?? one?.host?.accuracy ?? 0
    t.ok(accuracy > 0.8, `${one?.runtime} ${one?.scheme}: ${accuracy}`)
    t.ok(out.includes(one?.scheme ?? '?'), 'all in one table')
  }
  await running.stop()
})
