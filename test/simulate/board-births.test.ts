import t from 'tap'
import { newId } from '../../shared/ids.ts'
import { parseMessage, printMessage } from '../../shared/messages/index.ts'
import { BoardBirths } from './board-births.ts'
import { boardFacts } from './boards.ts'

t.test('a birth of which most was printed once is what the codec prints', async (t) => {
  for (const facts of await boardFacts(64, t.testdir({}))) {
    const births = new BoardBirths(facts)
    for (const slots of [[], [{ model: 'motor', variant: 'a'.repeat(64), active: true }]]) {
      const own = {
        ...{ v: 1 as const, id: newId(), epoch: { start: 'd000001', connection: 3 } },
        ...{
          agentVersion: '0.1.0',
          memoryLimitBytes: null,
          slots,
          roots: { director: 1, image: 2 },
        },
      }
      const printed = births.print(own)
      t.same(`${printed}`, `${printMessage('birth', { ...own, ...facts })}`)
      t.ok(parseMessage('fit/1/f/d/d000001/birth', printed).ok)
    }
  }
})
