/** A card that was copied: two machines with one identity. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connectPlanner } from '../../planner/api/index.ts'
import { Running, until } from './running.ts'

t.test('two machines with one identity are told to the operator, by either', async (t) => {
  const dir = t.testdir()
  const running = new Running(t)
  const data = join(dir, 'fleet')
  const address = await running.serve(data, '--port', '0', '--log-level', 'silent')
  const planner = connectPlanner(data)
  const devices = () => planner.call('devices.list', {})
  const first = running.agent('press-1', join(dir, 'one'), address)
  await until('the device', async () => (await devices())[0])
  t.match(await devices(), [{ id: 'press-1', doubleSeen: null }])
  cpSync(join(dir, 'one'), join(dir, 'two'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('.sock') && !path.includes('.sock.'),
  })
  running.agent('press-1', join(dir, 'two'), address)
  const found = await until('the clone', async () =>
    (await devices()).find(({ doubleSeen }) => doubleSeen !== null),
  )
  t.equal(found.id, 'press-1')
  t.match(await planner.call('audit.list', { limit: 5, subject: 'press-1' }), [
    { actor: 'device:press-1', action: 'device.double' },
  ])
  t.equal(first.exitCode, null, 'neither gave up')
})
