import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readTflite } from '../../../planner/formats/tflite/index.ts'
import { fileTargetFor } from '../../../planner/variants/file-target.ts'
import { formatNpz } from '../../../shared/dataset/index.ts'
import type { Finding } from '../../../shared/findings.ts'
import { parseScheme, printScheme } from '../../../shared/schemes.ts'
import { fitment } from '../cli/run-fitment.ts'
import { buildTflite, constant, type ModelSpec, numbers } from '../quantizer/model-builder.ts'

/** A fully-connected layer, then an operator of one input. */
function modelWith(code: string): ModelSpec {
  return {
    inputs: { x: [1, 64] },
    constants: { w: constant([64, 64], 0, 1), b: constant([64]) },
    operators: [
      {
        code: 'FULLY_CONNECTED',
        inputs: ['x', 'w', 'b'],
        outputs: { h: [1, 64] },
        options: {
          type: 'FullyConnectedOptions',
          fusedActivationFunction: 'RELU',
          weightsFormat: 'DEFAULT',
          keepNumDims: false,
          asymmetricQuantizeInputs: false,
        },
      },
      { code, inputs: ['h'], outputs: { y: [1, 64] } },
    ],
    outputs: ['y'],
  }
}

async function quantized(t: Test, code: string, ...words: string[]) {
  const dir = t.testdir()
  const [model, samples, output] = ['m.tflite', 's.npz', 'q.tflite'].map((name) => join(dir, name))
  const data = numbers([16, 1, 64], 0, 1)
  writeFileSync(String(model), buildTflite(modelWith(code)))
  writeFileSync(String(samples), formatNpz([['x', { type: 'float32', shape: [16, 1, 64], data }]]))
  const files = [String(model), '--calibration', String(samples), '-o', String(output)]
  const ran = await fitment('quantize', ...files, ...words, '--json')
  if (!existsSync(String(output))) return { ran, forms: [], needs: '', findings: [] }
  const written = readTflite(new Uint8Array(readFileSync(String(output))))
  const note = written.metadata.find(({ name }) => name === 'min_runtime_version')
  const needs = Buffer.from(written.buffers[note?.buffer ?? 0]?.data ?? []).toString()
  return {
    ran,
    forms: written.operatorCodes.map(({ builtinCode, version }) => `${builtinCode} v${version}`),
    needs: needs.replaceAll('\0', ''),
    findings: (JSON.parse(ran.out) as { findings: Finding[] }).findings,
  }
}

t.test(
  'a hybrid layer has a scale per channel only where the runtime has kernels for it',
  async (t) => {
    const newest = await quantized(t, 'TANH', '--scheme', 'dynamic-w8')
    t.ok(newest.forms.includes('FULLY_CONNECTED v12'), 'without a target the most accurate')
    t.equal(newest.needs, '2.17.0')
    const older = await quantized(t, 'TANH', '--scheme', 'dynamic-w8', '--target', '2.16')
    t.ok(older.forms.includes('FULLY_CONNECTED v9'), older.forms.join(' '))
    t.equal(older.needs, '2.3.0')
  },
)

t.test('an operator whose integer form is too new stays in float, and is named', async (t) => {
  // With float edges it would stay in float anyway, as the head it is.
  const scheme = ['--scheme', 'static-w8a8-io8']
  const free = await quantized(t, 'SQRT', ...scheme)
  t.ok(free.forms.includes('SQRT v2'))
  const held = await quantized(t, 'SQRT', ...scheme, '--target', '2.5')
  t.equal(held.ran.code, 0, held.ran.err)
  t.ok(held.forms.includes('SQRT v1') && held.forms.includes('FULLY_CONNECTED v4'))
  t.equal(held.needs, '1.14.0')
  t.match(held.findings, [
    { code: 'operator-left-float', message: /SQRT "y".*version 2.*2\.21\.0, after 2\.5/ },
  ])
})

t.test('a float operator that is too new leaves no file to write', async (t) => {
  const { ran, forms } = await quantized(t, 'GELU', '--scheme', 'static-w8a8', '--target', '2.5')
  t.same(forms, [])
  t.equal(ran.code, 1)
  t.match(ran.err, /target-too-old.*2\.5 cannot load GELU version 1 \("y"\): it came with 2\.9\.0/)
})

t.test(
  'a class decides the integer form of .onnx, and refuses what none of its runtimes takes',
  async (t) => {
    const formFor = async (target: string, scheme: string) =>
      printScheme((await fileTargetFor(target, parseScheme(scheme), 'onnx')).scheme)
    t.equal(await formFor('intel-atom-sse', 'static-w8a8'), 'static-w8a8-u8s8-rr')
    t.equal(await formFor('intel-atom-sse', 'dynamic-w8'), 'dynamic-w8-rr')
    t.equal(await formFor('raspberry-pi-5', 'dynamic-w8'), 'dynamic-w8')
    t.equal(await formFor('raspberry-pi-5', 'static-w8a8'), 'static-w8a8-s8s8')
    t.equal(await formFor('raspberry-pi-5', 'static-w8a8-u8s8'), 'static-w8a8-u8s8', 'as asked')
    t.equal(await formFor('raspberry-pi-5', 'float16'), 'float16')
    await t.rejects(
      fileTargetFor('generic-armv7', parseScheme('float16'), 'onnx'),
      /cannot run \.onnx/,
    )
    await t.rejects(fileTargetFor('2.5', parseScheme('float16'), 'onnx'), /name a device class/)
    await t.rejects(fileTargetFor('toaster', parseScheme('float16'), 'tflite'), /no device class/)
  },
)
