import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { demoFile } from '../../../../planner/demo/demo-file.ts'
import type { RecoveryStep } from '../../../../planner/quantizer/index.ts'
import { formatNpz, readDataset, takeSamples, toArrays } from '../../../../shared/dataset/index.ts'
import type { Finding } from '../../../../shared/findings.ts'
import { fitment } from '../run-fitment.ts'

const model = demoFile('motor-faults', 'model.tflite')
const calibration = join(t.testdir(), 'few.npz')

t.before(async () => {
  const all = await readDataset(demoFile('motor-faults', 'calibration.npz'))
  writeFileSync(calibration, formatNpz(toArrays(takeSamples(all, 64))))
})

interface Said {
  readonly scheme: string
  readonly operators: { readonly integer: number; readonly float: number }
  readonly findings: readonly Finding[]
  readonly recovery: readonly RecoveryStep[]
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
    { select: 'kind:depthwise_conv_2d', float: 4 },
    { select: 'pattern:^StatefulPartitionedCall_1:0$', float: 1 },
    { select: 'StatefulPartitionedCall_1:0,kind:softmax', float: 1 },
  ]
  for (const { select, float } of rows) {
    const { scheme, operators, findings } = await said(
      out,
      '--recovery',
      'none',
      '--keep-float',
      select,
    )
    t.equal(scheme, 'static-w8a8-mixed', select)
    // The head stays in float besides, as the edges are float.
    const head = select === 'kind:depthwise_conv_2d' ? 1 : 0
    t.equal(operators.float, float + head, select)
    const told = findings.filter(({ message }) => message.endsWith('stays in float: as you asked'))
    t.equal(told.length, float, `${select}: each is told`)
  }
})

t.test('ranges change the file, and auto is what nobody has to ask for', async (t) => {
  const dir = t.testdir()
  const bytesOf = async (name: string, ...options: string[]) => {
    await said(join(dir, name), '--recovery', 'none', ...options)
    return readFileSync(join(dir, name))
  }
  const usual = await bytesOf('usual.tflite')
  t.notSame(await bytesOf('min-max.tflite', '--ranges', 'min-max'), usual)
  t.same(await bytesOf('auto.tflite', '--ranges', 'auto'), usual)
})

t.test('recovery methods run as asked, and each reports its gain', async (t) => {
  const out = join(t.testdir(), 'out.tflite')
  const methodsOf = async (...options: string[]) =>
    (await said(out, ...options)).recovery.map(({ method }) => method)
  t.same(await methodsOf('--recovery', 'none'), [])
  t.same(await methodsOf(), ['equalization', 'bias-correction'], 'the usual ones')
  const { recovery } = await said(out, '--recovery', 'all')
  t.same(
    recovery.map(({ method }) => method),
    ['equalization', 'rounding', 'bias-correction', 'sequential-bias-correction'],
  )
  for (const { method, sqnrDbBefore, sqnrDbAfter, kept } of recovery) {
    t.equal(kept, sqnrDbAfter > sqnrDbBefore, `${method}: only what helps stays`)
    t.ok(sqnrDbBefore > 20 && sqnrDbBefore < 60, `${sqnrDbBefore} dB`)
  }
  t.ok(recovery.some(({ kept }) => kept))
  t.match((await quantized(out)).out, /recovery, at the outputs of calibration samples: /)
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
    { options: ['--ranges', 'best'], code: 2, err: /--ranges: must be one of .*min-max/ },
    { options: ['--recovery', 'magic'], code: 2, err: /--recovery: .*bias-correction/ },
    { options: ['--keep-float', 'kind:'], code: 2, err: /a selector is empty: give a name/ },
    { options: ['--keep-float', 'pattern:('], code: 2, err: /"\(" is no regular expression/ },
    { options: ['--keep-float', 'nobody'], code: 1, err: /"nobody" picks no operator/ },
    { options: ['--test', calibration], code: 2, err: /add --max-drop POINTS/ },
    { options: ['--max-accuracy-drop', '-1'], code: 2, err: /--max-accuracy-drop: / },
    { options: ['--sources', 'burn'], code: 2, err: /--sources: must be one of keep, dequantize/ },
  ]
  for (const { options, code, err } of rows) {
    const ran = await quantized(out, ...options)
    t.equal(ran.code, code, `${options.join(' ')}: ${ran.err}`)
    t.match(ran.err, err)
    t.equal(ran.err.trimEnd().split('\n').length, 1, 'one line')
  }
})
