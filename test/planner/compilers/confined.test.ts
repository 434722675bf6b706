import t, { type Test } from 'tap'
import { runConfined } from '../../../planner/compilers/confined.ts'

function run(t: Test, script: string, more: object = {}) {
  return runConfined('sh', ['-c', script], {
    folder: t.testdir(),
    timeoutMs: 20_000,
    memoryBytes: 1024 ** 3,
    fileBytes: 1024 ** 2,
    ...more,
  })
}

t.test('it has a bare environment, and its own folder', async (t) => {
  process.env.FITMENT_SECRET = 'token'
  const { said, code } = await run(t, 'env; pwd')
  t.equal(code, 0)
  t.notMatch(said, /token/)
  t.match(said, new RegExp(`^HOME=${t.testdirName}$`, 'm'))
  t.match(said, new RegExp(`^${t.testdirName}$`, 'm'))
})

t.test('it has no network, where the system can take it away', async (t) => {
  const { said, withoutNetwork } = await run(t, 'cat /proc/net/dev')
  if (!withoutNetwork) return void t.pass('unshare is not allowed here', { skip: true })
  const interfaces = said.split('\n').flatMap((line) => /^\s*(\w+):/.exec(line)?.[1] ?? [])
  t.same(interfaces, ['lo'])
})

t.test('it gets no more memory than it may have', async (t) => {
  const { code, signal } = await run(
    t,
    'x=$(head -c 300000000 /dev/zero | tr "\\0" a); echo done',
    {
      memoryBytes: 64 * 1024 ** 2,
    },
  )
  t.not(signal ?? code, 0)
})

t.test('of what it says the end is kept', async (t) => {
  const { said } = await run(t, 'yes | head -c 3000000; echo the end')
  t.ok(said.length <= 256 * 1024)
  t.match(said, /the end\n$/)
})

t.test('it can be cancelled, and may not exist', async (t) => {
  const signal = AbortSignal.timeout(300)
  t.match(await run(t, 'sleep 600', { signal }), { how: 'cancelled' })
  const nothing = {
    folder: t.testdir(),
    timeoutMs: 9_000,
    memoryBytes: 2 ** 30,
    fileBytes: 2 ** 20,
  }
  const { code, said } = await runConfined('/no/such/program', [], nothing)
  t.equal(code, 127)
  t.match(said, /not found|No such file/)
})
