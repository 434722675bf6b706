import t from 'tap'
import { modelledFleet } from './fleet-model.ts'
import { oracleOf, trueMs } from './oracle.ts'
import { playClass } from './play.ts'
import { CONTENDED_EVERYWHERE, ORDINARY } from './surroundings.ts'

t.setTimeout(240_000)

t.test('a few classes of the simulation: the whole of it is npm run bench:selection', async (t) => {
  for (const model of modelledFleet(7, 4, 8, ORDINARY)) {
    const oracle = oracleOf(model)
    const { winner, deviceSeconds } = await playClass(model, 3_000)
    const ms = (key: string) => trueMs(key, model.devices)
    t.ok(winner !== null && ms(winner) <= 1.05 * ms(oracle), `${winner}, oracle ${oracle}`)
    t.ok(deviceSeconds < 400, `${deviceSeconds} s`)
  }
})

t.test('where all devices are busy nothing is decided wrongly', async (t) => {
  for (const model of modelledFleet(7, 3, 4, CONTENDED_EVERYWHERE)) {
    const oracle = oracleOf(model)
    const { winner } = await playClass(model, 3_000)
    const ms = (key: string) => trueMs(key, model.devices)
    t.ok(winner === null || ms(winner) <= 1.05 * ms(oracle), `${winner}, oracle ${oracle}`)
  }
})

t.test('equal seeds play equal games', async (t) => {
  const play = async () => {
    const [model] = modelledFleet(3, 1, 4, ORDINARY)
    return model && playClass(model, 3_000)
  }
  t.same(await play(), await play())
})
