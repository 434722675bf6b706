import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installedModelSchema } from '../../agent/artifacts/index.ts'
import { connectPlanner } from '../../planner/api/index.ts'
import { lacks, nativePath } from '../native/runtimes.ts'
import { buildDelegates, lacksDelegates } from '../native/test-delegate.ts'
import { fewSamples, SMALL_MODEL } from '../planner/variants/small-model.ts'
import { fitment } from './command-line.ts'
import { Running, until } from './running.ts'

/**
 * Four devices on one host, alike but for what their applications link: LiteRT in WebAssembly, native LiteRT,
 * TensorFlow Lite 2.9 with a delegate that stands in for an accelerator, OpenVINO. Each ends on what measured best in
 * its own engine.
 */
const LABELS = ['healthy', 'imbalance', 'misalignment', 'inner-race', 'outer-race', 'looseness']

t.setTimeout(900_000)

const skip = lacks('litert') || lacks('openvino') || lacksDelegates()

t.test('each device gets what measured best in its own libraries', { skip }, async (t) => {
  const dir = t.testdir({})
  const data = join(dir, 'planner')
  const running = new Running(t)
  const planner = connectPlanner(data)
  const address = await running.serve(data, '--port', '0', '--probe-ms', '200')
  const { conv } = buildDelegates(dir)
  // A copy, as it will be replaced under the running agent.
  const library = join(dir, 'libLiteRt.so')
  copyFileSync(nativePath('litert'), library)
  const start = (device: string, ...flags: string[]) =>
    running.agent(device, join(dir, device), address, ['--threads', '1', ...flags])
  start('wasm', '--runtimes', 'litert')
  start('native', '--runtimes', 'tflite', '--library', `tflite=${library}`)
  const old = ['--library', `tflite=${nativePath('tflite')}`, '--delegate', `stand-in=${conv}`]
  start('accelerated', '--runtimes', 'tflite', ...old)
  start('vino', '--runtimes', 'openvino', '--library', `openvino=${nativePath('openvino')}`)
  const devices = await until('four devices', async () => {
    const all = await planner.call('devices.list', {})
    return all.length === 4 && all.every(({ online }) => online) ? all : undefined
  })
  const classOf = (device: string) => devices.find(({ id }) => id === device)?.class ?? ''
  t.equal(new Set(devices.map((one) => one.class)).size, 4, 'four classes of the same hardware')
  t.match(classOf('native'), /\+tflite-[0-9a-f]{8}$/)
  t.match(classOf('accelerated'), /\+tflite\.tflite\.stand-in-[0-9a-f]{8}$/)

  writeFileSync(join(dir, 'c.npz'), await fewSamples('calibration', 16))
  const files = ['--model', SMALL_MODEL, '--calibration', join(dir, 'c.npz')]
  const test = join(process.cwd(), 'planner', 'demo', 'motor-faults', 'test.npz')
  writeFileSync(join(dir, 'labels.txt'), LABELS.join('\n'))
  const limits = [
    '--test',
    test,
    '--class-names',
    join(dir, 'labels.txt'),
    '--max-accuracy-drop',
    '20',
    '--data',
    data,
  ]
  await fitment('models', 'add', 'motor', ...files, ...limits)
  await fitment('rollout', 'start', 'motor', '--accept-noise', '--data', data)
  await until('four installations', async () => {
    const all = await planner.call('devices.list', {})
    return all.every(({ installed }) => installed.some(({ active }) => active)) ? all : undefined
  })

  const { plans } = await planner.call('models.show', { model: 'motor' })
  const winnerOf = (device: string) =>
    plans.find(({ class: id }) => id === classOf(device))?.winner?.runtime
  t.equal(winnerOf('wasm'), 'litert')
  t.equal(winnerOf('native'), 'tflite')
  t.match(winnerOf('accelerated'), /^(tflite|external)$/)
  t.equal(winnerOf('vino'), 'openvino')

  const told = (device: string) => {
    const file = join(dir, device, 'slots', 'motor', 'current', 'model.json')
    return installedModelSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  }
  t.match(told('native'), {
    runtime: 'tflite',
    file: 'model.tflite',
    library: { path: library, digest: /^[0-9a-f]{64}$/ },
    threads: 1,
    revision: 1,
    labels: LABELS,
    inputs: [{ shape: Array, type: /^(float32|int8)$/ }],
  })
  t.match(told('vino'), { runtime: 'openvino', file: 'model.onnx' })
  t.match(told('wasm'), { runtime: 'litert', library: null })

  const probes = await planner.call('probes.list', { model: 'motor' })
  const onDelegate = probes.filter(
    ({ runtime, state }) => runtime === 'external' && state === 'measured',
  )
  t.ok(onDelegate.length > 0, 'the delegate was measured')
  for (const { engine } of onDelegate) {
    const taken = engine?.delegation?.find(({ path }) => path === conv)
    t.ok(taken && taken.taken > 0 && taken.partitions > 0, 'and told what it took')
  }

  // TensorFlow Lite 2.9 answers garbage to the int8 file that the others get: it has one of its own.
  const ofOld = probes.filter(({ device }) => device === 'accelerated')
  const integers = ofOld.find(
    ({ scheme, state }) => scheme === 'static-w8a8' && state === 'measured',
  )
  t.ok((integers?.accuracy ?? 0) > 0.8, 'int8 as the old library knows it')

  appendFileSync(library, 'another build')
  await until('the library that was replaced under the agent', async () => {
    const device = await planner.call('devices.show', { device: 'native' })
    return device.class === classOf('native') ? undefined : device
  })
  await running.stop()
})
