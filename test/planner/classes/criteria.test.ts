import t from 'tap'
import { fitsPattern } from '../../../planner/classes/criteria.ts'

t.test('patterns: * is any text, case does not count, the rest is literal', async (t) => {
  const cases: [string, string, boolean][] = [
    ['Intel(R) N100', 'Intel(R) N100*', true],
    ['intel(r) n100', 'Intel(R) N100', true],
    ['Intel(R) N1000', 'Intel(R) N100', false],
    ['Intel(R) Core(TM) i3-N305', '*N305', true],
    ['Raspberry Pi 4 Model B Rev 1.4', 'Raspberry Pi 4 *', true],
    ['Raspberry Pi 400 Rev 1.0', 'Raspberry Pi 4 *', false],
    ['abc', 'a*b*c', true],
    ['ac', 'a*b*c', false],
    ['aba', 'ab*ba', false],
    ['anything', '*', true],
    ['', '*', true],
    ['x.y', 'x?y', false],
    ['xzy', 'x.y', false],
  ]
  for (const [value, pattern, fits] of cases) {
    t.equal(fitsPattern(value, pattern), fits, `${value} ~ ${pattern}`)
  }
})

t.test('a long hostile name costs no more than a long honest one', async (t) => {
  t.equal(fitsPattern('a'.repeat(200_000), `${'a*'.repeat(200)}b`), false)
})
