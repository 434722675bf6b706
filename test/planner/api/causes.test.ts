import t from 'tap'
import { groupCauses } from '../../../planner/api/rollouts/causes.ts'

const failed = (error: string, devices = 1, example = error) => ({ error, devices, example })

t.test('failures of one cause are one, whatever sizes and files they name', async (t) => {
  const said = [
    failed('disk-full: no room for 100000 bytes', 3, 'pi-1'),
    failed('disk-full: no room for 87.5 KB', 2, 'pi-7'),
    failed('disk-full: no room for 99 bytes', 1, 'pi-9'),
    failed(`damaged: ${'0123456789abcdef'.repeat(4)} is not what was signed`, 1, 'pi-2'),
    failed(`damaged: ${'fedcba9876543210'.repeat(4)} is not what was signed`, 1, 'pi-3'),
  ]
  t.strictSame(groupCauses(said), [
    failed('disk-full: no room for 100000 bytes', 4, 'pi-1'),
    failed('disk-full: no room for 87.5 KB', 2, 'pi-7'),
    { ...failed(said[3]?.error ?? '', 2), example: 'pi-2' },
  ])
})

t.test('what a process ended with tells causes apart', async (t) => {
  const ended = (how: string) =>
    failed(`self-test-crashed: the runtime ${how} during the self-test`)
  const said = [ended('ended with exit code 3'), ended('ended with exit code 9')]
  t.equal(groupCauses([...said, ended('was killed by SIGABRT')]).length, 3)
})
