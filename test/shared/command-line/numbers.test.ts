import t from 'tap'
import { decimal, wholeNumber } from '../../../shared/command-line/index.ts'

const threads = wholeNumber({ least: 1, most: 64 })
const tolerance = decimal({ above: 0, most: 1 })
const points = decimal({ least: 0 })

const good = [
  [threads, '8', 8],
  [threads, ' 8 ', 8],
  [threads, 8, 8],
  [threads, '064', 64],
  [tolerance, '1e-3', 0.001],
  [tolerance, '1', 1],
  [points, '0', 0],
  [points, '12.50', 12.5],
] as const

for (const [schema, given, value] of good) {
  t.test(`"${given}" is ${value}`, async (t) => {
    t.equal(schema.parse(given), value)
  })
}

const bad = [
  [threads, '', '"" is no whole number from 1 to 64'],
  [threads, '0', '"0" is no whole number from 1 to 64'],
  [threads, '0x10', '"0x10" is no whole number from 1 to 64'],
  [threads, '1.5', '"1.5" is no whole number from 1 to 64'],
  [threads, 1.5, '"1.5" is no whole number from 1 to 64'],
  [threads, '1e1', '"1e1" is no whole number from 1 to 64'],
  [threads, '9'.repeat(400), `"${'9'.repeat(40)}…" is no whole number from 1 to 64`],
  [tolerance, '0', '"0" is no number above 0, up to 1'],
  [tolerance, '-0', '"-0" is no number above 0, up to 1'],
  [tolerance, 'NaN', '"NaN" is no number above 0, up to 1'],
  [points, '1e999', '"1e999" is no number, 0 or more'],
  [points, 'Infinity', '"Infinity" is no number, 0 or more'],
  [points, '-1', '"-1" is no number, 0 or more'],
  [decimal({}), 'many', '"many" is no number'],
] as const

for (const [schema, given, message] of bad) {
  t.test(message.slice(0, 60), async (t) => {
    t.match(schema.safeParse(given).error?.issues, [{ message }])
  })
}

t.test('what may be absent is absent, and no 0', async (t) => {
  t.equal(threads.optional().parse(undefined), undefined)
  t.equal(threads.default(2).parse(undefined), 2)
  t.notOk(threads.safeParse(null).success)
})
