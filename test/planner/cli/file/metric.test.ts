import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { demoFile } from '../../../../planner/demo/demo-file.ts'
import type { QualityRecord } from '../../../../shared/measure/index.ts'
import { fitment } from '../run-fitment.ts'

const model = demoFile('motor-faults', 'model.tflite')
const data = demoFile('motor-faults', 'test.npz')

async function metricOf(...options: string[]): Promise<QualityRecord['metric']> {
  const ran = await fitment('evaluate', model, '--data', data, '--json', ...options)
  t.equal(ran.code, 0, ran.err)
  return (JSON.parse(ran.out) as QualityRecord).metric
}

t.test('evaluate measures what it is asked for, and the reference beside it', async (t) => {
  const ran = await fitment('evaluate', model, '--data', data, '--json')
  const { accuracy, metric } = JSON.parse(ran.out) as QualityRecord
  t.equal(metric, undefined, 'nobody asked')
  t.match(await metricOf('--metric', 'top-1'), {
    text: 'top-1',
    direction: 'higher',
    unit: 'share',
    value: accuracy,
    reference: null,
  })
  t.match(await metricOf('--metric', 'mae', '--reference', model), { value: 0, reference: 0 })
  const table = await fitment('evaluate', model, '--data', data, '--metric', 'top-5')
  t.match(table.out, /top-5 \(higher is better\) +\d+\.\d\d %/)
})

t.test('a metric of the user’s own', async (t) => {
  const dir = t.testdir({
    'score.mjs': `export const direction = 'higher'
      export const unit = 'share'
      export function score({ outputs, labels }) {
        console.log('looking')
        const [scores] = Object.values(outputs)
        return scores.values.indexOf(Math.max(...scores.values)) === labels.y.values[0] ? 1 : 0
      }`,
  })
  const own = await metricOf('--metric', join(dir, 'score.mjs'))
  t.equal(own?.value, (await metricOf('--metric', 'top-1'))?.value)
})

t.test('one line where a metric does not go', async (t) => {
  const dir = t.testdir()
  const score = join(dir, 'score.mjs')
  writeFileSync(score, `export const direction = 'lower'; export const score = () => NaN`)
  const rows: [metric: string, line: RegExp][] = [
    ['accuraccy', /^error \[unknown-metric\]: unknown metric "accuraccy": use one of top-1/],
    ['map', /^error \[missing-labels\]: the data has no array "y\.boxes"/],
    ['cosine', /^error \[wrong-labels\]: output .* has \d+ numbers a sample/],
    [score, /^error \[script-failed\]: metric .*score\.mjs failed: score\(sample\) gave NaN/],
    [join(dir, 'absent.mjs'), /^error \[script-failed\]: there is no metric file/],
  ]
  for (const [metric, line] of rows) {
    const ran = await fitment('evaluate', model, '--data', data, '--metric', metric)
    t.equal(ran.code, 1, metric)
    t.match(ran.err, line)
    t.equal(ran.err.trim().split('\n').length, 1, ran.err)
  }
})
