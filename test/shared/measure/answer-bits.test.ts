import t from 'tap'
import { AnswerTally, readBits } from '../../../shared/measure/answer-bits.ts'

const ALL = { judged: true, compared: true, energies: true }

t.test('answers travel sample by sample, in whatever order they came', async (t) => {
  const tally = new AnswerTally()
  for (const sample of [9, 0, 3]) {
    tally.add(sample, [{ name: 'y', signal: sample, noise: 1 }])
    tally.addAnswer(sample, sample === 3, sample !== 0)
  }
  const record = tally.record(ALL)
  t.same([...readBits(record?.answered ?? '')], [0, 3, 9])
  t.same([...readBits(record?.right ?? '')], [3])
  t.same([...readBits(record?.agreed ?? '')], [3, 9])
  t.same(record?.energies?.[0]?.signal, [0, 0, 0, 3, 0, 0, 0, 0, 0, 9])
})

t.test('of more samples than travel none do, however many there are', async (t) => {
  const tally = new AnswerTally()
  for (let sample = 0; sample < 300_000; sample++) {
    tally.add(sample, [])
    tally.addAnswer(sample, true, true)
  }
  t.equal(tally.record(ALL), undefined)
})
