import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { deviceRoot } from '../../../agent/device-root/index.ts'

t.test('text is trimmed of blanks and NULs, string lists are split at NULs', async (t) => {
  const dir = t.testdir({ model: 'Radxa ROCK 5B\0', compatible: 'a,b\0c,d\0\0', empty: ' \n' })
  const root = deviceRoot(dir)
  t.equal(await root.text('/model'), 'Radxa ROCK 5B')
  t.same(await root.strings('/compatible'), ['a,b', 'c,d'])
  t.equal(await root.text('/empty'), null)
  t.same(await root.strings('/absent'), [])
})

t.test('only regular files are read, and never more than a bounded part', async (t) => {
  const dir = t.testdir({ folder: {} })
  writeFileSync(join(dir, 'huge'), Buffer.alloc(6 * 1024 * 1024, 'x'))
  execFileSync('mkfifo', [join(dir, 'pipe')])
  symlinkSync('loop', join(dir, 'loop'))
  const root = deviceRoot(dir)
  t.equal(await root.text('/pipe'), null, 'a named pipe does not hang')
  t.equal(await root.text('/folder'), null)
  t.equal(await root.text('/loop'), null)
  t.equal((await root.text('/huge'))?.length, 4 * 1024 * 1024)
})

t.test('stars stand for parts of one path segment, in alphabetical order', async (t) => {
  const dir = t.testdir({ zones: { zone10: { temp: '1' }, zone2: { temp: '2' }, other: {} } })
  const root = deviceRoot(dir)
  t.same(await root.glob('/zones/zone*/temp'), ['/zones/zone10/temp', '/zones/zone2/temp'])
  t.same(await root.glob('/zones/z*e/temp'), [])
  t.same(await root.glob('/nowhere/*'), [])
  t.same(await root.glob('/zones/other'), ['/zones/other'])
})

t.test('a pattern is no regular expression', async (t) => {
  const dir = t.testdir({})
  mkdirSync(join(dir, 'npu@1'))
  mkdirSync(join(dir, 'npux1'))
  t.same(await deviceRoot(dir).glob('/npu@*'), ['/npu@1'])
})

t.test('only / is the running system, however it is written', async (t) => {
  t.ok(deviceRoot('/').live)
  t.ok(deviceRoot('/tmp/..').live)
  t.notOk(deviceRoot('/tmp').live)
})
