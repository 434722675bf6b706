import t from 'tap'
import { demoFile } from '../../../../planner/demo/demo-file.ts'
import { fitment } from '../run-fitment.ts'

const MODEL = demoFile('motor-faults', 'model.tflite')

t.test('a model at a rate, for long, with tried threads, and without a meter', async (t) => {
  const root = t.testdir({ sys: {} })
  const modes = ['--rate-hz', '50', '--soak', '1s', '--energy', '--threads', 'auto']
  const ran = await fitment('bench', MODEL, ...modes, '--seconds', '0.5', '--root', root, '--json')
  t.equal(ran.code, 0, ran.err)
  const record = JSON.parse(ran.out)
  t.equal(record.paced.pace.rateHz, 50)
  t.ok(record.soak.ms >= 1000 && record.soak.slowdown > 0)
  t.equal(record.energy, null, 'nothing is invented')
  t.ok(record.tried.length >= 1)
  t.ok(record.tried.some(({ threads }: { threads: number }) => threads === record.threads))
})

t.test('what is asked wrongly is told in a line', async (t) => {
  for (const [option, word, said] of [
    ['--soak', '3', /--soak: takes 1s to 5m, e\.g\. 60s/],
    ['--threads', 'many', /--threads: takes a number from 1 to 256, or auto/],
    ['--rate-hz', 'fast', /--rate-hz: "fast" is no number from 0\.5 to 1000/],
  ] as const) {
    const ran = await fitment('bench', MODEL, option, word)
    t.equal(ran.code, 2)
    t.match(ran.err, said)
  }
})
