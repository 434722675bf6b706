import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { convertModel } from '../../../planner/formats/convert.ts'
import { readOnnx, writeOnnx } from '../../../planner/formats/onnx/codec.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import {
  type Dataset,
  readDataset,
  samplesFor,
  takeSamples,
} from '../../../shared/dataset/index.ts'
import { loadRuntime } from '../../../shared/runtime/load-runtime.ts'
import {
  type OnnxruntimeLoadOptions,
  onnxruntime,
} from '../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { namedDevices } from '../../../shared/runtime/openvino/devices.ts'
import { readOnnxEnds } from '../../../shared/runtime/openvino/onnx-ends.ts'
import { placesOf } from '../../../shared/runtime/openvino/ports.ts'
import type { LoadOptions, Runtime } from '../../../shared/runtime/runtime.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { tensor } from '../../../shared/tensors.ts'
import { modelBytes } from '../../fixture-models.ts'
import { lacks, nativePath } from '../../native/runtimes.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../shared-data.ts'

const DEMO = join(process.cwd(), 'planner', 'demo', 'motor-faults')
const SAMPLES = 20
const X = tensor('float32', [1, 4], Float32Array.of(0.5, -1, 2, 0.25))

// What it needs lies beside it, for processes that nobody prepared.
delete process.env.LD_LIBRARY_PATH

/** .onnx files in which inputs and outputs are told apart by the file alone. */
function aliases(): Uint8Array {
  const model = readOnnx(modelBytes('dense.onnx'))
  const [node] = model.graph?.node ?? []
  const [info] = model.graph?.input ?? []
  if (!(model.graph && node && info)) throw new Error('dense.onnx has a graph')
  const made = (opType: string, input: string, output: string) => ({
    ...node,
    name: output,
    opType,
    input: [input],
    output: [output],
    attribute: [],
  })
  const named = (name: string) => ({ ...info, name })
  model.graph.node = [
    made('Relu', 'x', 'z'),
    made('Identity', 'z', 'a'),
    made('Identity', 'x', 'k'),
  ]
  model.graph.initializer = []
  model.graph.input = ['unused', 'x'].map(named)
  model.graph.output = ['z', 'a', 'k'].map(named)
  return writeOnnx(model)
}

t.test('devices that a string names', async (t) => {
  t.same(namedDevices('GPU.1'), ['GPU'])
  t.same(namedDevices('HETERO:GPU.0,CPU'), ['GPU', 'CPU'])
  t.same(namedDevices('AUTO:-CPU,NPU(2)'), ['NPU'])
  t.same(namedDevices('AUTO'), [])
})

t.test('places by name, and what has no name in order', async (t) => {
  t.same(placesOf(['a', 'b', 'c'], ['c', 'a', 'b']), [1, 2, 0])
  t.same(placesOf(['a', 'b', 'c'], ['c', '', 'b']), [1, 2, 0])
  t.same(placesOf(['y', 'y'], ['y', 'y']), [0, 1])
  t.equal(placesOf(['a'], []), undefined)
})

t.test('the ends of an .onnx file, constants among its inputs or not', async (t) => {
  const model = readOnnx(modelBytes('dense.onnx'))
  const [info] = model.graph?.input ?? []
  if (model.graph && info) model.graph.input = [info, { ...info, name: 'w' }]
  t.same(readOnnxEnds(writeOnnx(model)), { inputs: ['x'], outputs: ['scores'] })
  t.same(readOnnxEnds(aliases()), { inputs: ['unused', 'x'], outputs: ['z', 'a', 'k'] })
})

t.test('OpenVINO', { skip: lacks('openvino') }, async (t) => {
  const openvino = await loadRuntime('openvino', { library: nativePath('openvino') })

  t.test('tells its version, the device and the threads', async (t) => {
    t.match(openvino.version, /^2026\.4\.\d+$/)
    t.match(openvino.library?.digest, /^[0-9a-f]{64}$/)
    for (const format of ['onnx', 'tflite'])
      for (const threads of [1, 2])
        t.match(await detailsOf(openvino, `dense.${format}`, { threads }), {
          device: 'CPU',
          executionDevices: 'CPU',
          threads,
          precision: 'f32',
        })
    t.match(await detailsOf(openvino, 'dense.onnx', { device: 'AUTO' }), { device: 'AUTO' })
    t.match(await detailsOf(openvino, 'dense.onnx', { device: 'HETERO:CPU' }), {
      device: 'HETERO:CPU',
      executionDevices: 'CPU',
    })
  })

  t.test('a GPU or NPU that is not there is no latency of the CPU', async (t) => {
    for (const device of ['GPU', 'NPU', 'AUTO:NPU,CPU', 'HETERO:GPU,CPU']) {
      const told = await detailsOf(openvino, 'dense.onnx', { device }).catch((error) => error)
      if (told instanceof Error)
        t.match(told, { code: 'not-accelerated', message: /^OpenVINO finds no [GN]PU here, only / })
      else t.match(told.executionDevices, /GPU|NPU/, `this machine has it: ${device}`)
    }
    await t.rejects(detailsOf(openvino, 'dense.onnx', { device: 'ABACUS' }), {
      code: 'library-unusable',
      message: /no device "ABACUS": its devices are .*CPU/,
    })
  })

  t.test('refuses what it has no idea of', async (t) => {
    const delegates = [{ path: '/usr/lib/libvx_delegate.so', options: {} }]
    const signature = 'serving_default'
    const rows: readonly [string, LoadOptions, string, RegExp][] = [
      ['dense.onnx', { delegates }, 'delegate-failed', /no delegates such as .*libvx/],
      ['dense.onnx', { signature }, 'not-loadable', /no signatures/],
      ['dense.tflite', { signature: 'other' }, 'not-loadable', /no signature "other"/],
    ]
    for (const [file, options, code, message] of rows)
      await t.rejects(detailsOf(openvino, file, options), { code, message })
    t.match(await detailsOf(openvino, 'dense.tflite', { signature }), { device: 'CPU' })
    const xml = Buffer.from('<?xml version="1.0"?><net name="n" version="11"></net>')
    await t.rejects(openvino.load(xml), { code: 'not-loadable', message: /not an \.onnx model/ })
  })

  t.test('leaves no file of a model behind', async (t) => {
    process.env.TMPDIR = t.testdir()
    const session = await openvino.load(modelBytes('dense.tflite'))
    t.same(readdirSync(process.env.TMPDIR), [])
    t.same((await session.run({ x: X })).scores?.shape, [1, 3])
    await session.close()
    await t.rejects(openvino.load(modelBytes('dense.tflite').slice(0, 900)))
    t.same(readdirSync(process.env.TMPDIR), [])
    delete process.env.TMPDIR
  })

  t.test('ends are those of the file: unused inputs, several names of one tensor', async (t) => {
    const session = await openvino.load(aliases())
    t.same(
      session.inputs.map(({ name }) => name),
      ['unused', 'x'],
    )
    const { z, a, k } = await session.run({ unused: X, x: X })
    t.same([...(z?.data ?? [])], [0.5, 0, 2, 0.25])
    t.same([...(a?.data ?? [])], [0.5, 0, 2, 0.25])
    t.same([...(k?.data ?? [])], [...X.data])
    await session.close()
    const int8 = await openvino.load(modelBytes('dense-int8.tflite'))
    const litert = await (await loadRuntime('litert')).load(modelBytes('dense-int8.tflite'))
    t.ok(int8.inputs[0]?.quantization)
    t.same(int8.inputs, litert.inputs)
    t.same(int8.outputs, litert.outputs)
    await Promise.all([int8.close(), litert.close()])
  })

  t.test('wide integers that its CPU would wrap around', async (t) => {
    const session = await openvino.load(modelBytes('reverse-int64.tflite'))
    const fits = BigInt64Array.of(1n, -2n, 2n ** 31n - 1n, -(2n ** 31n))
    const { y } = await session.run({ x: tensor('int64', [4], fits) })
    t.same([...(y?.data ?? [])], [...fits].reverse())
    await t.rejects(
      session.run({ x: tensor('int64', [4], BigInt64Array.of(1n, 2n, 2n ** 31n, 4n)) }),
      {
        code: 'run-failed',
        message: /int64 in 32 bits, which 2147483648 of input "x"/,
      },
    )
    await session.close()
  })

  t.test('a library without what belongs beside it', async (t) => {
    const alone = join(t.testdir(), 'libopenvino_c.so')
    copyFileSync(nativePath('openvino'), alone)
    await t.rejects(loadRuntime('openvino', { library: alone }), {
      code: 'library-unusable',
      message: /libopenvino\.so/,
    })
  })

  t.test('answers like the others: the demo model', async (t) => {
    const float = readFileSync(join(DEMO, 'model.tflite'))
    const inputs = await samplesOf(join(DEMO, 'test.npz'))
    await agree(t, { openvino, other: await loadRuntime('litert'), model: float, inputs })

    const { bytes: onnx } = await convertModel(float, 'tflite', 'onnx', 'model.tflite')
    await agree(t, { openvino, other: await loadRuntime('onnxruntime'), model: onnx, inputs })

    const calibration = takeSamples(await readDataset(join(DEMO, 'calibration.npz')), SAMPLES)
    const order = { scheme: parseScheme('static-w8a8'), calibration, options: { recovery: [] } }
    // Operator by operator: where they are fused, sums of int8 saturate on processors without instructions for them.
    const options: OnnxruntimeLoadOptions = { optimization: 'disabled' }
    const unfused: Runtime = {
      name: 'onnxruntime',
      version: onnxruntime.version,
      load: (bytes) => onnxruntime.load(bytes, options),
    }
    const rows = [
      { other: await loadRuntime('litert'), source: float, target: 'litert' },
      { other: unfused, source: onnx, target: 'onnxruntime' },
    ] as const
    for (const { other, source, target } of rows) {
      const { bytes: model } = await quantize({ ...order, model: source, target })
      await agree(t, { openvino, other, model, inputs, within: 0.1 })
    }
  })

  const root = sharedData()
  t.test('answers like LiteRT: ic01', { skip: !root && WITHOUT_SHARED_DATA }, async (t) => {
    const folder = join(root ?? '', 'mlperf-tiny')
    const inputs = await samplesOf(join(folder, 'ic01_test.npz'))
    const model = readFileSync(join(folder, 'ic01_float32.tflite'))
    await agree(t, { openvino, other: await loadRuntime('litert'), model, inputs })
  })
})

async function detailsOf(runtime: Runtime, file: string, options: LoadOptions) {
  const session = await runtime.load(modelBytes(file), options)
  await session.run({ x: X })
  await session.close()
  return session.details ?? {}
}

async function samplesOf(path: string): Promise<Dataset> {
  return takeSamples(await readDataset(path), SAMPLES)
}

interface Pair {
  readonly openvino: Runtime
  readonly other: Runtime
  readonly model: Uint8Array
  readonly inputs: Dataset
  readonly within?: number
}

/** The same ends, and no number of any answer further apart than that. */
async function agree(t: Test, { openvino, other, model, inputs, within = 1e-5 }: Pair) {
  const [one, two] = await Promise.all([openvino.load(model), other.load(model)])
  t.same(one.inputs, two.inputs)
  t.same(
    one.outputs.map(({ name }) => name),
    two.outputs.map(({ name }) => name),
  )
  let worst = 0
  const samples = samplesFor(inputs, one.inputs)
  for (let i = 0; i < SAMPLES; i += 1) {
    const sample = samples.at(i)
    const [ours, theirs] = await Promise.all([one.run(sample), two.run(sample)])
    for (const { name } of one.outputs)
      ours[name]?.data.forEach((value, at) => {
        worst = Math.max(worst, Math.abs(Number(value) - Number(theirs[name]?.data[at])))
      })
  }
  t.ok(worst <= within, `${other.name}: off by ${worst}`)
  await Promise.all([one.close(), two.close()])
}
