import t from 'tap'
import { type ComparedFile, compareModels, worstFirst } from '../../../planner/comparison/index.ts'
import type { Dataset } from '../../../shared/dataset/index.ts'
import { evaluate } from '../../../shared/measure/index.ts'
import { loadRuntime } from '../../../shared/runtime/index.ts'
import { modelBytes } from '../../fixture-models.ts'
import { changed, demoData, floatFile, quantized } from './models.ts'

const SAMPLES = 20

async function compare(dataset: Dataset, ...files: ComparedFile[]) {
  return await compareModels({ float: floatFile, quantized: files, dataset, latencyMs: 0 })
}

t.test('a static model', async (t) => {
  const file = await quantized('static-w8a8-io8')
  const dataset = await demoData(SAMPLES)
  const { quantized: compared, samples, float } = await compare(dataset, file)
  const [one] = compared
  t.ok(one)
  if (one === undefined) return
  t.equal(samples, SAMPLES)

  t.test('answers are judged as fitment evaluate judges them', async (t) => {
    const runtime = await loadRuntime('litert')
    const session = await runtime.load(file.bytes)
    const reference = await runtime.load(floatFile.bytes)
    const record = await evaluate(session, dataset, { reference })
    await session.close()
    await reference.close()
    t.same({ ...one.quality, outputs: [], notes: [] }, { ...record, outputs: [], notes: [] })
  })

  t.test('every activation of the float model has a counterpart and a figure', async (t) => {
    t.same(one.unmatched, [])
    const orders = one.layers.map(({ order }) => order)
    t.same(
      orders,
      [...orders].sort((a, b) => a - b),
    )
    for (const layer of one.layers) {
      t.ok(layer.sqnrDb > 0 && layer.sqnrDb <= 200, `${layer.name}: ${layer.sqnrDb} dB`)
      t.ok(layer.maxAbsError >= Math.abs(layer.meanError))
      t.equal(layer.count % SAMPLES, 0)
    }
    const output = one.layers.find((layer) => layer.output)
    t.equal(output?.operator, 'SOFTMAX')
    t.equal(output?.scale, 1 / 256)
    t.equal(output?.zeroPoint, -128)
    t.same(output?.holds, [0, 255 / 256])
    const worst = worstFirst(one.layers)
    t.ok((worst[0]?.sqnrDb ?? 0) <= (worst.at(-1)?.sqnrDb ?? 0))
  })

  t.test('a range and a scale agree with each other', async (t) => {
    for (const { name, scale, zeroPoint, holds, min, max, clipped } of one.layers) {
      if (scale === null || zeroPoint === null || holds === null) continue
      t.ok(Math.abs((holds[1] - holds[0]) / 255 - scale) < 1e-9 * scale, name)
      t.ok(holds[0] <= 0 && holds[1] >= 0, 'zero can be held')
      const within = min >= holds[0] - 1.001 * scale && max <= holds[1] + 1.001 * scale
      if (within) t.equal(clipped, 0, `${name} clips nothing`)
      else t.ok(clipped > 0, `${name} clips`)
    }
  })

  t.test('weights, storage and operators', async (t) => {
    const weights = one.weights.filter(({ role }) => role === 'weight')
    t.ok(weights.length >= 10)
    for (const { layer, type, sqnrDb, scales } of weights) {
      t.equal(type, 'int8', layer)
      t.ok(sqnrDb > 30 && sqnrDb < 80, `${layer}: ${sqnrDb} dB`)
      t.ok(scales !== null && scales.min > 0 && scales.max >= scales.min)
    }
    t.ok(one.computing.integer > 10)
    t.equal(one.computing.hybrid, 0)
    t.equal(float.computing.integer, 0)
    for (const facts of [float, one]) {
      t.equal(
        facts.storage.reduce((sum, { bytes }) => sum + bytes, 0),
        facts.bytes,
      )
    }
    const int8 = one.storage.find(({ type }) => type === 'int8')
    t.ok((int8?.bytes ?? 0) > one.bytes / 3)
  })
})

t.test('hybrid and half-precision models', async (t) => {
  const files = [await quantized('dynamic-w8'), await quantized('float16')]
  const { quantized: compared } = await compare(await demoData(4), ...files)
  const [dynamic, half] = compared
  t.ok((dynamic?.computing.hybrid ?? 0) > 0)
  t.ok(dynamic?.layers.every(({ scale }) => scale === null))
  t.equal(half?.computing.hybrid, 0)
  t.ok(half?.layers.every(({ sqnrDb }) => sqnrDb > 35))
  t.ok(half?.weights.some(({ type }) => type === 'float16'))
})

t.test('a model beside itself has no error', async (t) => {
  const { quantized: compared } = await compare(await demoData(2), floatFile)
  const [one] = compared
  t.ok(one?.layers.length)
  t.ok(one?.layers.every(({ sqnrDb }) => sqnrDb === 200))
  t.ok(one?.weights.every(({ sqnrDb }) => sqnrDb === 200))
  t.equal(one?.quality.agreement, 1)
})

t.test('tensors are found by their place where names say nothing', async (t) => {
  const file = await quantized('static-w8a8-io8')
  const nameless = changed(file, (model) => {
    for (const { tensors } of model.subgraphs) {
      tensors.forEach((tensor, i) => {
        tensor.name = `t${i}`
      })
    }
  })
  const dataset = await demoData(3)
  const [named] = (await compare(dataset, file)).quantized
  const [placed] = (await compare(dataset, nameless)).quantized
  const figures = (layers: typeof named) =>
    layers?.layers.map(({ name, sqnrDb, scale }) => ({ name, sqnrDb, scale }))
  t.ok(figures(named)?.length)
  t.same(figures(placed), figures(named))
  t.same(placed?.unmatched, [])
})

t.test('NaN in a quantized model is an error that names the layer', async (t) => {
  const poisoned = changed(floatFile, (model) => {
    const subgraph = model.subgraphs[0]
    const dense = subgraph?.operators.find(
      ({ opcodeIndex }) => model.operatorCodes[opcodeIndex]?.builtinCode === 'FULLY_CONNECTED',
    )
    const bias = subgraph?.tensors[dense?.inputs[2] ?? -1]
    const buffer = model.buffers[bias?.buffer ?? -1]
    if (buffer) buffer.data = new Uint8Array(buffer.data?.length ?? 0).fill(0xff)
  })
  const [one] = (await compare(await demoData(2), poisoned)).quantized
  const found = one?.findings.filter(({ code }) => code === 'not-finite') ?? []
  t.ok(found.length > 0)
  t.equal(found[0]?.severity, 'error')
  t.match(found[0]?.message, /NaN or infinite/)
  t.ok(one?.layers.every(({ sqnrDb }) => Number.isFinite(sqnrDb)))
})

t.test('weights of another training are pointed out', async (t) => {
  const retrained = changed(floatFile, (model) => {
    for (const buffer of model.buffers) {
      if (!buffer.data || buffer.data.length < 400) continue
      const floats = new Float32Array(buffer.data.slice().buffer)
      buffer.data = new Uint8Array(floats.map((value) => -2 * value).buffer)
    }
  })
  const [one] = (await compare(await demoData(2), retrained)).quantized
  t.ok(one?.findings.some(({ code }) => code === 'weights-differ'))
})

t.test('what cannot be compared is refused in one line', async (t) => {
  const dataset = await demoData(1)
  const dense = (format: 'tflite' | 'onnx'): ComparedFile => ({
    file: `dense.${format}`,
    format,
    bytes: modelBytes(`dense.${format}`),
  })
  const rows: [string, ComparedFile, { code: string; message: RegExp }][] = [
    ['another model', dense('tflite'), { code: 'models-differ', message: /not made from/ }],
    ['another format', dense('onnx'), { code: 'mixed-formats', message: /dense\.onnx is \.onnx/ }],
    [
      'a cut file',
      { ...floatFile, file: 'cut.tflite', bytes: floatFile.bytes.slice(0, 5000) },
      { code: 'does-not-run', message: /^cut\.tflite: / },
    ],
  ]
  for (const [what, file, expected] of rows) {
    await t.rejects(compare(dataset, file), expected, what)
  }
  await t.rejects(
    compareModels({ float: dense('onnx'), quantized: [dense('onnx')], dataset, latencyMs: 0 }),
    { code: 'unsupported-format' },
    'two ONNX models',
  )
  await t.rejects(
    compareModels({ float: dense('tflite'), quantized: [dense('tflite')], dataset, latencyMs: 0 }),
    { name: 'DatasetError' },
    'data of another model',
  )
})

t.test('latency is measured beside the float model', async (t) => {
  const { quantized: compared } = await compareModels({
    float: floatFile,
    quantized: [await quantized('dynamic-w8')],
    dataset: await demoData(2),
    latencyMs: 200,
  })
  const latency = compared[0]?.latency
  t.ok((latency?.latency.p50Ms ?? 0) > 0)
  t.ok((latency?.baseline.p50Ms ?? 0) > 0)
  t.ok((latency?.ratio.rounds ?? 0) > 0)
})
