import t from 'tap'
import { factsElsewhere } from '../../../agent/inventory/non-linux.ts'

t.test('systeminformation answers in our shape, on any system', async (t) => {
  const facts = await factsElsewhere()
  const textOrNull = (value: unknown) =>
    value === null || (typeof value === 'string' && value.length > 0)
  const texts = [facts.cpuModel, facts.boardModel, facts.boardVendor, facts.distribution]
  for (const value of texts) t.ok(textOrNull(value), `${value}`)
  t.ok(facts.maxMhz === null || facts.maxMhz > 0)
  t.ok(facts.battery === null || facts.battery.percent >= 0)
})
