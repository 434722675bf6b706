import t from 'tap'
import { MAX_PENDING_REPORTS, Outbox } from '../../../agent/link/outbox.ts'
import type { Report } from '../../../shared/messages/index.ts'

const variant = 'a'.repeat(64)
const at = new Date(0).toISOString()

function ack(id: string): Report {
  return { v: 1, id, at, kind: 'ack', order: id }
}

function install(id: string, state: 'active' | 'downloading'): Report {
  return { v: 1, id, at, kind: 'install', order: id, model: 'motor', variant, state }
}

function outboxOf(pending: readonly Report[] = []) {
  const sent: string[] = []
  const send = async (report: Report) => sent.push(report.id) > 0
  const outbox = new Outbox({ pending, send, monotonic: () => 0 })
  t.teardown(() => outbox.close())
  return { outbox, sent }
}

t.test('reports go out in order once there is a connection, and again after the next one', (t) => {
  const { outbox, sent } = outboxOf([ack('kept')])
  outbox.add(ack('a'))
  t.same(sent, [])
  outbox.connected()
  outbox.add(ack('b'))
  t.same(sent, ['kept', 'a', 'b'])
  t.same(outbox.settle(['a', 'stranger']), ['a'])
  outbox.connected()
  t.same(sent.slice(3), ['kept', 'b'])
  t.end()
})

t.test('when it is full the oldest of those that others make superfluous goes', (t) => {
  const { outbox } = outboxOf()
  outbox.add(install('end', 'active'))
  outbox.add(install('step', 'downloading'))
  for (let i = 2; i < MAX_PENDING_REPORTS; i += 1) outbox.add(install(`end-${i}`, 'active'))
  t.equal(outbox.add(install('late', 'active'))?.id, 'step')
  t.equal(outbox.add(install('later', 'active'))?.id, 'end', 'and then the oldest of all')
  t.equal(outbox.size, MAX_PENDING_REPORTS)
  t.end()
})
