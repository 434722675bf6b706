import t from 'tap'
import { type Speed, tellingFact, twoSpeeds } from '../../../planner/probing/two-speeds.ts'
import { seededRandom } from '../../../shared/statistics/seeded-random.ts'

const speed = (device: string, p50Ms: number, facts: Record<string, string> = {}): Speed => ({
  device,
  p50Ms,
  facts: new Map(Object.entries(facts)),
})

t.test('two speeds are seen, and what tells them apart', (t) => {
  const two = twoSpeeds([
    speed('a', 10, { kernel: '6.1', governor: 'performance', RAM: '4 GiB' }),
    speed('b', 10.2, { kernel: '6.6', governor: 'performance', RAM: '4 GiB' }),
    speed('c', 9.9, { kernel: '6.1', governor: 'performance', RAM: '4 GiB' }),
    speed('d', 15.8, { kernel: '6.6', governor: 'powersave', RAM: '4 GiB' }),
    speed('e', 16.1, { kernel: '6.1', governor: 'powersave', RAM: '4 GiB' }),
    speed('f', 16, { kernel: '6.1', governor: 'powersave', RAM: '4 GiB' }),
  ])
  t.ok(two && Math.abs(two.ratio - 1.6) < 0.05 && two.separation > 4)
  t.same(two && tellingFact(two), { fact: 'governor', fast: 'performance', slow: 'powersave' })
  t.end()
})

t.test('two speeds that nothing explains are two speeds all the same', (t) => {
  const two = twoSpeeds([10, 10.1, 10.2, 14, 14.1, 14.2].map((ms, i) => speed(`d${i}`, ms)))
  t.ok(two)
  t.equal(two && tellingFact(two), undefined)
  t.end()
})

t.test('one speed is not two: neither scattered, nor with outliers, nor too few', (t) => {
  const of = (...ms: number[]) => twoSpeeds(ms.map((value, i) => speed(`d${i}`, value)))
  t.equal(of(10, 10.1, 10.2, 10.3, 10.4, 10.5, 10.6), undefined, 'apart by nothing that matters')
  t.equal(of(8, 9, 10, 11, 12, 13, 14, 15), undefined, 'evenly spread')
  t.equal(of(10, 10.1, 9.9, 10, 30), undefined, 'one outlier is no part')
  t.equal(of(10, 10, 15, 15), undefined, 'two and two may be chance')
  t.end()
})

t.test('of a thousand classes at one speed, hardly one is split', (t) => {
  const random = seededRandom(5)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  let split = 0
  for (let i = 0; i < 1000; i++) {
    const speeds = Array.from({ length: 8 }, (_, d) =>
      speed(`d${d}`, 10 * Math.exp(0.12 * normal())),
    )
    if (twoSpeeds(speeds)) split += 1
  }
  // Facts must tell the two apart as well before anything is done.
  t.ok(split <= 60, `${split} of 1000`)
  t.end()
})

t.test('the cut is the one with the most variance between the two, of all there are', (t) => {
  const random = seededRandom(9)
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  for (let round = 0; round < 200; round++) {
    const [few, many] = [3 + Math.floor(6 * random()), 3 + Math.floor(6 * random())]
    const near = (ms: number) => ms * (1 + 0.02 * random())
    const times = [
      ...Array.from({ length: few }, () => near(10)),
      ...Array.from({ length: many }, () => near(10 * (1 + random()))),
    ]
    const two = twoSpeeds(times.map((ms, i) => speed(`d${i}`, ms)))
    if (!two) continue
    const logs = times.map(Math.log).sort((a, b) => a - b)
    const scores = logs.map((_, cut) => {
      const [a, b] = [logs.slice(0, cut), logs.slice(cut)]
      return a.length < 3 || b.length < 3 ? -1 : a.length * b.length * (mean(b) - mean(a)) ** 2
    })
    t.equal(two.fast.length, scores.indexOf(Math.max(...scores)))
  }
  t.end()
})
