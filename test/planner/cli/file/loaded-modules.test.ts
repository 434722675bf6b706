import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { writeOnnx } from '../../../../planner/formats/onnx/index.ts'
import { smallOnnx } from '../../formats/onnx/small-onnx.ts'

const execute = promisify(execFile)
const HOOK = join(import.meta.dirname, 'loaded-modules.js')
const CLI = join(import.meta.dirname, '..', '..', '..', '..', 'planner', 'cli', 'main.js')

t.test('quantize loads no conversion and no other format where the format stays', async (t) => {
  const model = smallOnnx({
    inputs: { x: [1, 3, 8, 8] },
    outputs: ['y'],
    constants: { w: [16, 3, 3, 3] },
    rows: [['Conv', ['x', 'w'], ['y']]],
  })
  const dir = t.testdir({})
  const [source, output, loaded] = ['a.onnx', 'b.onnx', 'loaded'].map((name) => join(dir, name))
  writeFileSync(source ?? '', writeOnnx(model))
  const words = ['quantize', source ?? '', '--scheme', 'weight-w8', '-o', output ?? '']
  const env = { ...process.env, FITMENT_TEST_LOADED: loaded }
  await execute(process.execPath, ['--import', HOOK, CLI, ...words], { env })
  const modules = readFileSync(loaded ?? '', 'utf8').split('\n')
  t.ok(modules.some((url) => url.includes('/planner/formats/onnx/quantizable')))
  const needless = /\/planner\/(conversion|formats\/tflite|formats\/onnx\/import|api|fleet)\//
  t.same(
    modules.filter((url) => needless.test(url)),
    [],
  )
})
