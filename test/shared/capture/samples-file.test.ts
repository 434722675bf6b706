import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseCaptured, samplesFile } from '../../../shared/capture/index.ts'
import { readArrays, readDataset, writeNpz } from '../../../shared/dataset/index.ts'
import { digestOf } from '../../../shared/digest.ts'

const NUMPY = '/tmp/venv/bin/python'

function filed(device: string, at: string, x: readonly number[]) {
  const receivedAt = '2026-11-29T10:00:01.000Z'
  return {
    device,
    at,
    receivedAt,
    why: 'low-confidence',
    inputs: { x },
    outputs: { y: [0.4, 0.6] },
  }
}

const ALL = [
  filed('press-7', '2026-11-29T10:00:00.000Z', [1, 2, 3]),
  filed('prés-8 🚰', '2026-11-29T10:00:00.500Z', [4, 5, 6]),
  filed('press-9', '2026-11-29T10:00:00.000Z', [4, 5]),
]

t.test('inputs, outputs, device, time and reason, ready for labels', async (t) => {
  const path = join(t.testdir({}), 'samples.npz')
  const { arrays, samples, leftOut } = samplesFile(ALL)
  t.same({ samples, leftOut }, { samples: 2, leftOut: 1 }, 'of another form')
  await writeNpz(path, arrays)
  const read = await readArrays(path)
  t.same([...read.keys()], ['x', 'outputs', 'time', 'received'], 'words are passed over')
  t.same([...(read.get('x')?.data ?? [])], [1, 2, 3, 4, 5, 6])
  t.same(read.get('time')?.data[1], BigInt(Date.parse('2026-11-29T10:00:00.500Z')))

  await writeNpz(path, [...arrays, ['y', { type: 'int32', shape: [2], data: Int32Array.of(0, 1) }]])
  const dataset = await readDataset(path)
  t.same([dataset.samples, [...(dataset.labels ?? [])]], [2, [0, 1]], 'labelled it is test data')
  if (!existsSync(NUMPY)) return t.comment('no NumPy here')
  const script =
    'import numpy,sys,json; f=numpy.load(sys.argv[1]); print(json.dumps([f["device"].tolist(), f["reason"].tolist(), f["x"].shape]))'
  const told = execFileSync(NUMPY, ['-c', script, path], { encoding: 'utf8' })
  t.same(JSON.parse(told), [
    ['press-7', 'prés-8 🚰'],
    ['low-confidence', 'low-confidence'],
    [2, 3],
  ])
})

t.test('on the device nobody says whose they are', async (t) => {
  const own = ALL.map(({ device: _, receivedAt: __, ...rest }) => rest)
  t.same(
    samplesFile(own).arrays.map(([name]) => name),
    ['x', 'outputs', 'time', 'reason'],
  )
  t.same(samplesFile([]).samples, 0)
})

t.test('words in the place of numbers are refused as ever', async (t) => {
  const path = join(t.testdir({}), 'words.npz')
  await writeNpz(path, [['y.boxes', { text: ['a'] }]])
  await t.rejects(readArrays(path), { code: 'unknown-type' })
})

t.test('what is no sample', async (t) => {
  const sample = { at: '2026-11-29T10:00:00.000Z', variant: digestOf('v'), why: 'outside' }
  const whole = { ...sample, inputs: { x: [1] }, outputs: { y: [2] } }
  const parse = (value: unknown) =>
    parseCaptured(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
  t.same(parse(whole), whole)
  t.equal(parse({ ...whole, variant: '../../etc' }), undefined)
  t.equal(parse({ ...whole, inputs: { x: [null] } }), undefined)
  t.equal(parse(JSON.stringify(whole).replace('[1]', '[1e999]')), undefined)
  t.equal(parse({ ...whole, at: 'yesterday' }), undefined)
  t.equal(parse(JSON.stringify(whole).padEnd(5 * 2 ** 20)), undefined)
})
