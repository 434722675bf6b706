import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { demoFile } from '../../../planner/demo/fleet.ts'
import type { Finding } from '../../../shared/findings.ts'
import { fitment } from './run-fitment.ts'

const model = demoFile('motor-faults', 'model.tflite')
const calibration = demoFile('motor-faults', 'calibration.npz')

interface Said {
  readonly scheme: string
  readonly operators: { readonly integer: number; readonly float: number }
  readonly findings: readonly Finding[]
}

function quantized(out: string, ...options: string[]) {
  const common = ['--scheme', 'static-w8a8', '--calibration', calibration, '-o', out]
  return fitment('quantize', model, ...common, ...options)
}

async function said(out: string, ...options: string[]): Promise<Said> {
  const ran = await quantized(out, '--json', ...options)
  t.equal(ran.code, 0, ran.err)
  return JSON.parse(ran.out) as Said
}

t.test('operators are kept in float by name, kind, native kind and pattern', async (t) => {
  const out = join(t.testdir(), 'mixed.tflite')
  const rows: { select: string; float: number }[] = [
    { select: 'kind:softmax', float: 1 },
    { select: 'kind:depthwise_conv_2d', float: 4 },
    { select: 'pattern:^StatefulPartitionedCall', float: 1 },
    { select: 'StatefulPartitionedCall_1:0', float: 1 },
    { select: 'kind:softmax,kind:fully-connected', float: 2 },
  ]
  for (const { select, float } of rows) {
    const { scheme, operators, findings } = await said(out, '--keep-float', select)
    t.equal(scheme, 'static-w8a8-mixed', select)
    t.equal(operators.float, float, select)
    const told = findings.filter(({ message }) => message.endsWith('stays in float: as you asked'))
    t.equal(told.length, float, `${select}: each is told`)
  }
})

t.test('ranges and recovery change the file, and none of it is still a model', async (t) => {
  const dir = t.testdir()
  const bytesOf = async (name: string, ...options: string[]) => {
    await said(join(dir, name), ...options)
    return readFileSync(join(dir, name))
  }
  const usual = await bytesOf('usual.tflite')
  const minMax = await bytesOf('min-max.tflite', '--ranges', 'min-max')
  const bare = await bytesOf('bare.tflite', '--recovery', 'none')
  const corrected = await bytesOf('corrected.tflite', '--recovery', 'bias-correction')
  t.notSame(minMax, usual)
  t.notSame(bare, corrected)
  t.same(await bytesOf('auto.tflite', '--ranges', 'auto'), usual, 'auto is what nobody asks for')
})

t.test('a source that is quantized already is kept, turned back, or refused', async (t) => {
  const dir = t.testdir()
  const first = join(dir, 'w8.tflite')
  await fitment('quantize', model, '--scheme', 'dynamic-w8', '-o', first)
  const again = (treatment: string) =>
    fitment(
      ...['quantize', first, '--scheme', 'static-w8a8', '--calibration', calibration],
      ...['-o', join(dir, `${treatment}.tflite`), '--sources', treatment],
    )
  t.match((await again('dequantize')).err, /they are turned back into float32/)
  t.match((await again('keep')).err, /they are kept as they are/)
  const refused = await again('refuse')
  t.equal(refused.code, 1)
  t.match(refused.err, /^error \[source-refused\]: refused, as you asked: the source stores/)
  t.notOk(existsSync(join(dir, 'refuse.tflite')), 'nothing is written')
})

t.test('what makes no sense is said in one line', async (t) => {
  const out = join(t.testdir(), 'out.tflite')
  const rows: { options: string[]; code: number; err: RegExp }[] = [
    { options: ['--ranges', 'best'], code: 2, err: /--ranges: .*"min-max"/ },
    { options: ['--recovery', 'magic'], code: 2, err: /--recovery: .*bias-correction/ },
    { options: ['--keep-float', 'kind:'], code: 2, err: /a selector is empty: give a name/ },
    { options: ['--keep-float', 'pattern:('], code: 2, err: /"\(" is no regular expression/ },
    { options: ['--keep-float', 'nobody'], code: 1, err: /"nobody" picks no operator/ },
    { options: ['--sources', 'burn'], code: 2, err: /--sources: .*"dequantize"/ },
  ]
  for (const { options, code, err } of rows) {
    const ran = await quantized(out, ...options)
    t.equal(ran.code, code, `${options.join(' ')}: ${ran.err}`)
    t.match(ran.err, err)
    t.equal(ran.err.trimEnd().split('\n').length, 1, 'one line')
  }
})
