import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { demoFile } from '../../../planner/demo/demo-file.ts'
import { digestOf } from '../../../shared/digest.ts'
import { lacks, nativePath } from '../../native/runtimes.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../shared-data.ts'
import { fitment } from '../cli/run-fitment.ts'

const skip = lacks('vela')
const VELA = ['--compiler', nativePath('vela')]

async function quantized(
  t: Test,
  { model, calibration, scheme }: { model: string; calibration: string; scheme: string },
): Promise<string> {
  const out = join(t.testdir(), `${scheme}.tflite`)
  const words = ['--scheme', scheme, '--calibration', calibration, '-o', out]
  const { code, err } = await fitment('quantize', model, ...words)
  t.equal(code, 0, err)
  return out
}

const motor = {
  model: demoFile('motor-faults', 'model.tflite'),
  calibration: demoFile('motor-faults', 'calibration.npz'),
}

t.test('motor-faults for Ethos-U: all of it on the accelerator', { skip }, async (t) => {
  const integers = await quantized(t, { ...motor, scheme: 'static-w8a8-io8' })
  for (const target of ['ethos-u55-64', 'ethos-u65-256', 'ethos-u85-256']) {
    const out = join(t.testdirName, `${target}.tflite`)
    const {
      code,
      err,
      out: said,
    } = await fitment(...['compile', integers, '--target', target, '-o', out, ...VELA, '--json'])
    t.equal(code, 0, err)
    const report = JSON.parse(said)
    t.match(report, { compiler: 'vela', version: '5.2.0', target, output: out, partitions: 1 })
    t.equal(report.operators.cpu, 0)
    t.ok(report.operators.accelerator >= 15)
    t.same(report.left, {})
    t.ok(report.sramBytes > 10_000 && report.cycles > 10_000 && report.inferenceMs > 0.01)
    t.equal(report.digest, digestOf(readFileSync(out)))
    t.match(
      (await fitment('inspect', out)).out,
      /ethos-u v1/,
      'our reader takes its scratch memory',
    )
  }
})

t.test('the same model in the same compiler is the same file', { skip }, async (t) => {
  const integers = await quantized(t, { ...motor, scheme: 'static-w8a8-io8' })
  const digests = []
  for (const name of ['a', 'b']) {
    const out = join(t.testdirName, `${name}.tflite`)
    await fitment('compile', integers, '--target', 'ethos-u55-128', '-o', out, ...VELA)
    digests.push(digestOf(readFileSync(out)))
  }
  t.equal(digests[0], digests[1])
})

t.test('edges in float stay on the CPU, by kind', { skip }, async (t) => {
  const edges = await quantized(t, { ...motor, scheme: 'static-w8a8' })
  const out = join(t.testdirName, 'out.tflite')
  const { code, out: said } = await fitment(
    ...['compile', edges, '--target', 'ethos-u65-256', '-o', out, ...VELA, '--json'],
  )
  t.equal(code, 0)
  // The head stays in float where the edges are float.
  t.match(JSON.parse(said), {
    operators: { cpu: 3 },
    left: { QUANTIZE: 1, DEQUANTIZE: 1, SOFTMAX: 1 },
  })
})

t.test('a float model: nothing compiles, and it says what would', { skip }, async (t) => {
  const out = join(t.testdir(), 'out.tflite')
  const { code, err } = await fitment(
    ...['compile', motor.model, '--target', 'ethos-u65-256', '-o', out, ...VELA],
  )
  t.equal(code, 1)
  t.match(err, /compiled nothing.*takes static-w8a8-io8/)
})

t.test('ic01: 43 of 43 on Ethos-U65 and U55', { skip }, async (t) => {
  const root = sharedData()
  if (root === undefined) return void t.pass(WITHOUT_SHARED_DATA, { skip: true })
  const file = (name: string) => join(root, 'mlperf-tiny', name)
  const integers = await quantized(t, {
    model: file('ic01_float32.tflite'),
    calibration: file('ic01_calibration.npz'),
    scheme: 'static-w8a8-io8',
  })
  for (const target of ['ethos-u65-256', 'ethos-u55-128']) {
    const out = join(t.testdirName, `${target}.tflite`)
    const { out: said } = await fitment(
      ...['compile', integers, '--target', target, '-o', out, ...VELA, '--json'],
    )
    t.match(JSON.parse(said).operators, { accelerator: 43, cpu: 0 })
  }
})

t.test('command lines that cannot be', async (t) => {
  const out = join(t.testdir(), 'out.tflite')
  const wrong: [string[], RegExp][] = [
    [['compile', motor.model, '--target', 'vx', '-o', out], /--target: give one of edgetpu/],
    [['compile', motor.model, '-o', out], /--target: give one of/],
    [['compile', motor.model, '--target', 'ethos-u55-64'], /give the file to write/],
    [['compile', motor.model, '--target', 'ethos-u55-64', '-o', motor.model], /would be lost/],
  ]
  for (const [argv, words] of wrong) {
    const { code, err } = await fitment(...argv)
    t.equal(code, 2)
    t.match(err, words)
  }
})
