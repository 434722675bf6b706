import { open, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { OpenArtifacts } from '../../../planner/fleet/open-artifacts.ts'

async function openFiles(): Promise<number> {
  return (await readdir('/proc/self/fd')).length
}

t.test('a file is opened once however many read it, and few stay open', async (t) => {
  const dir = t.testdir({})
  const names = Array.from({ length: 10 }, (_, i) => `artifact-${i}`)
  for (const name of names) await writeFile(join(dir, name), name)
  let located = 0
  const files = new OpenArtifacts(3, async (artifact) => {
    located += 1
    return await open(join(dir, artifact), 'r')
  })
  t.teardown(() => files.close())
  const before = await openFiles()
  const lent = await Promise.all([...names, ...names].map((name) => files.acquire(name)))
  t.equal(located, 10)
  for (const [i, file] of lent.entries()) {
    const buffer = Buffer.alloc(4)
    await file?.readInto(buffer, 4)
    t.equal(buffer.toString(), names[i % 10]?.slice(4, 8))
  }
  for (const file of lent) file?.release()
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.ok((await openFiles()) - before <= 3)
})

t.test('an artifact that is unknown, or whose file is gone, may be there later', async (t) => {
  const dir = t.testdir({})
  const path = join(dir, 'artifact')
  let known = false
  const files = new OpenArtifacts(3, async () => (known ? await open(path, 'r') : undefined))
  t.teardown(() => files.close())
  t.equal(await files.acquire('a'), undefined)
  known = true
  await t.rejects(files.acquire('a'), { code: 'ENOENT' })
  await writeFile(path, 'here')
  const file = await files.acquire('a')
  t.equal(file?.bytes, 4)
  await rename(path, `${path}.moved`)
  const buffer = Buffer.alloc(4)
  await file?.readInto(buffer, 0)
  t.equal(buffer.toString(), 'here', 'what is open stays readable')
  await t.rejects(file?.readInto(Buffer.alloc(5), 0) ?? Promise.resolve(), /shorter/)
})
