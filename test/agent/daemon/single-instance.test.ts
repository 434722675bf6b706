import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import t, { type Test } from 'tap'
import { claimStateDir } from '../../../agent/daemon/sockets/single-instance.ts'

const MODULE = new URL('../../../agent/daemon/sockets/single-instance.js', import.meta.url).href

/** A process that claims the folder and says how that went. */
function claimant(t: Test, stateDir: string, ...wrapper: string[]) {
  const script = `
    const { claimStateDir } = await import(${JSON.stringify(MODULE)})
    await claimStateDir(${JSON.stringify(stateDir)}).then(
      () => { console.log('claimed'); setInterval(() => {}, 1000) },
      (error) => console.log(error.code))`
  const argv = [...wrapper, process.execPath, '--input-type=module', '-e', script]
  const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

async function said(child: ReturnType<typeof claimant>): Promise<string> {
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  return chunk.toString().trim()
}

t.test('one agent per directory, and whoever was killed is in nobody’s way', async (t) => {
  const dir = t.testdir({})
  const first = claimant(t, dir)
  t.equal(await said(first), 'claimed')
  t.equal(await said(claimant(t, dir)), 'already-running')
  first.kill('SIGKILL')
  await once(first, 'exit')
  const release = await claimStateDir(dir)
  t.same(readdirSync(dir).filter((name) => name.startsWith('claim.sock')).length, 2)
  await release()
  t.same(readdirSync(dir), [], 'nothing is left')
})

t.test('of many at once one gets it', async (t) => {
  const dir = t.testdir({})
  const all = Array.from({ length: 6 }, () => claimant(t, dir))
  const words = await Promise.all(all.map(said))
  t.equal(words.filter((word) => word === 'claimed').length, 1, words.join(' '))
  for (const child of all) child.kill('SIGKILL')
})

const unshare = ['unshare', '--net', '--']
const canUnshare = spawnSync(unshare[0] ?? '', ['--net', 'true']).status === 0
const skip = canUnshare ? false : 'no network namespaces here: unshare --net is refused'
t.test('a container with a network of its own is another process like any', { skip }, async (t) => {
  const dir = t.testdir({})
  const release = await claimStateDir(dir)
  t.equal(await said(claimant(t, dir, ...unshare)), 'already-running')
  await release()
  const inside = claimant(t, dir, ...unshare)
  t.equal(await said(inside), 'claimed')
  await t.rejects(claimStateDir(dir), { code: 'already-running' })
  inside.kill('SIGKILL')
  await once(inside, 'exit')
  t.ok(existsSync(dir))
})

t.test('a path too long for a socket is claimed all the same', async (t) => {
  const dir = t.testdir({ ['long'.repeat(30)]: {} })
  const release = await claimStateDir(`${dir}/${'long'.repeat(30)}`)
  await t.rejects(claimStateDir(`${dir}/${'long'.repeat(30)}`), { code: 'already-running' })
  await release()
})
