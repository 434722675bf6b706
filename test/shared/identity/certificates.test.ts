import t from 'tap'
import {
  judgeTime,
  mayConnectAs,
  nameFromSubject,
  renewalDue,
  subjectOf,
} from '../../../shared/identity/index.ts'

const pi = { role: 'device', fleet: 'plant-7', device: 'pi-1' } as const
const planner = { role: 'planner', fleet: 'plant-7' } as const

t.test('a subject says a name, and nothing but a name', async (t) => {
  for (const name of [pi, planner]) t.strictSame(nameFromSubject(subjectOf(name)), name)
  const strange: unknown[] = [
    undefined,
    {},
    { CN: 'pi-1' },
    { CN: 'pi-1', O: 'plant-7', OU: 'root' },
    { CN: ['pi-1', 'pi-2'], O: 'plant-7', OU: 'device' },
    { CN: 'a/b', O: 'plant-7', OU: 'device' },
    { CN: '+', O: 'plant-7', OU: 'device' },
    { CN: 'planner:other', O: 'plant-7', OU: 'planner' },
    { CN: 'pi-1', O: 'plant-7', OU: 'device', L: 'elsewhere' },
  ]
  for (const subject of strange) t.equal(nameFromSubject(subject), undefined)
})

t.test('a name connects under its own client id', async (t) => {
  t.ok(mayConnectAs(pi, 'plant-7/pi-1'))
  for (const id of ['pi-1', 'plant-7/pi-11', 'plant-8/pi-1', 'planner:plant-7:1', '']) {
    t.notOk(mayConnectAs(pi, id), id)
  }
  t.ok(mayConnectAs(planner, 'planner:plant-7:1'))
  t.notOk(mayConnectAs(planner, 'planner:plant-77:1'))
  t.notOk(mayConnectAs(planner, 'plant-7/planner'))
})

t.test('a third of its life before the end a certificate is renewed', async (t) => {
  const validity = { notBefore: new Date(0), notAfter: new Date(30_000) }
  t.same(renewalDue(validity), new Date(20_000))
  t.equal(judgeTime(validity, new Date(-1)), 'not-yet-valid')
  t.equal(judgeTime(validity, new Date(0)), 'valid')
  t.equal(judgeTime(validity, new Date(30_000)), 'valid')
  t.equal(judgeTime(validity, new Date(30_001)), 'expired')
})
