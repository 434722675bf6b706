import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  makeFolder,
  readIfPresent,
  removeDurably,
  settle,
  writeDraft,
  writeDurably,
} from '../../../shared/durable/index.ts'

t.test('new bytes take the place of old ones, and no draft stays', async (t) => {
  const dir = t.testdir({ file: 'old' })
  await writeDurably(join(dir, 'file'), 'new')
  t.equal(readFileSync(join(dir, 'file'), 'utf8'), 'new')
  t.same(readdirSync(dir), ['file'])
})

t.test('a draft that a power cut left is overwritten, whatever its mode or kind', async (t) => {
  const dir = t.testdir({ '.a.draft': 'half', elsewhere: 'not ours' })
  symlinkSync(join(dir, 'elsewhere'), join(dir, '.b.draft'))
  for (const name of ['a', 'b']) {
    await writeDurably(join(dir, name), 'whole', { mode: 0o600 })
    t.equal(readFileSync(join(dir, name), 'utf8'), 'whole')
    t.equal(statSync(join(dir, name)).mode & 0o777, 0o600)
  }
  t.equal(readFileSync(join(dir, 'elsewhere'), 'utf8'), 'not ours')
})

t.test('what cannot take its name leaves nothing behind', async (t) => {
  const dir = t.testdir({ taken: { by: 'a folder' } })
  await t.rejects(writeDurably(join(dir, 'taken'), 'bytes'))
  t.same(readdirSync(dir), ['taken'])
})

t.test('of two writers with drafts of their own, the last one wins whole', async (t) => {
  const dir = t.testdir({})
  const [one, other] = [join(dir, '.one'), join(dir, '.other')]
  await Promise.all([writeDraft(one, 'one'), writeDraft(other, 'other')])
  await settle(one, join(dir, 'file'))
  await settle(other, join(dir, 'file'))
  t.equal(readFileSync(join(dir, 'file'), 'utf8'), 'other')
  t.same(readdirSync(dir), ['file'])
})

t.test('folders are made with those above them, relative or not', async (t) => {
  const dir = t.testdir({})
  await makeFolder(join(dir, 'a', 'b', 'c'), 0o700)
  t.equal(statSync(join(dir, 'a', 'b')).mode & 0o777, 0o700)
  const before = process.cwd()
  process.chdir(dir)
  t.teardown(() => process.chdir(before))
  await makeFolder('d/e')
  await makeFolder('d/e')
  t.ok(statSync(join(dir, 'd', 'e')).isDirectory())
})

t.test('what is not there reads as nothing, and is removed without complaint', async (t) => {
  const dir = t.testdir({ file: 'text' })
  t.equal(await readIfPresent(join(dir, 'none')), undefined)
  await t.rejects(readIfPresent(join(dir, 'file', 'below')), { code: 'ENOTDIR' })
  t.equal(String(await readIfPresent(join(dir, 'file'))), 'text')
  await removeDurably(join(dir, 'none'))
  await removeDurably(join(dir, 'no', 'folder'))
  await removeDurably(join(dir, 'file'))
  t.same(readdirSync(dir), [])
})

t.test('a folder is no file', async (t) => {
  const dir = t.testdir({})
  mkdirSync(join(dir, 'folder'))
  writeFileSync(join(dir, 'folder', 'file'), '')
  await t.rejects(readIfPresent(join(dir, 'folder')), { code: 'EISDIR' })
})
