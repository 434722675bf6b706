import { createPrivateKey } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { messageOf, reasonOf } from '../../shared/errors.ts'
import { speakPlainly } from '../../shared/issue-words.ts'
import { parseJson } from '../../shared/json.ts'

speakPlainly()

/** What `work` throws. */
function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

t.test('what the system says of files', async (t) => {
  const dir = t.testdir({ file: '' })
  mkdirSync(join(dir, 'folder'))
  const rows = [
    ['absent', 'there is no such file (ENOENT)'],
    ['folder', 'it is a folder (EISDIR)'],
    ['file/below', 'what its path names as a folder is none (ENOTDIR)'],
    ['n'.repeat(300), 'its name is too long (ENAMETOOLONG)'],
  ] as const
  for (const [name, words] of rows) {
    const error = thrown(() => readFileSync(join(dir, name)))
    t.equal(reasonOf(error), words)
    const place = name === 'folder' ? '' : ` ${join(dir, name)}`
    t.equal(messageOf(error), words.replace(')', `${place})`))
  }
  const full = thrown(() => writeFileSync('/dev/full', 'x'))
  t.match(reasonOf(full), 'no room is left on the disk (ENOSPC)')
})

t.test('what it says of connections', async (t) => {
  const error = await new Promise((resolve) => connect(1, '127.0.0.1').once('error', resolve))
  t.equal(messageOf(error), 'nobody listens there (ECONNREFUSED 127.0.0.1:1)')
})

t.test('what OpenSSL says of keys', async (t) => {
  t.match(messageOf(thrown(() => createPrivateKey('no key'))), /^no key or certificate in PEM/)
})

t.test('what parsers say of JSON', async (t) => {
  const of = (text: string) => messageOf(thrown(() => parseJson(z.unknown(), text)))
  t.equal(of(''), 'it is no JSON: it is empty')
  t.match(of('{"a":'), /^it is no JSON: /)
  t.match(of('no'), /^it is no JSON: /)
  t.equal(of('{\n  "a": 1,\n  b\n}'), 'it is no JSON: line 3, column 3 does not belong there')
})

const schema = z.strictObject({
  name: z.string().min(1).max(4).optional(),
  size: z.number().int().min(1).max(9).optional(),
  more: z.number().positive().optional(),
  kind: z.enum(['a', 'b']).optional(),
  list: z.array(z.string()).min(1).max(2).optional(),
  at: z.iso.datetime().optional(),
  word: z.string().regex(/^x+$/, 'is no row of x').optional(),
  v: z.literal(1),
})

const issues: readonly (readonly [object, string])[] = [
  [{}, 'v must be 1'],
  [{ v: 1, size: '3' }, 'size must be a number'],
  [{ v: 1, size: 0 }, 'size must be at least 1'],
  [{ v: 1, size: 10 }, 'size must be at most 9'],
  [{ v: 1, size: 1.5 }, 'size must be a whole number'],
  [{ v: 1, more: 0 }, 'more must be more than 0'],
  [{ v: 1, name: '' }, 'name must not be empty'],
  [{ v: 1, name: 'abcde' }, 'name must have at most 4 characters'],
  [{ v: 1, name: 7 }, 'name must be a text'],
  [{ v: 1, kind: 'c' }, 'kind must be one of a, b'],
  [{ v: 1, list: [] }, 'list must have at least 1 entries'],
  [{ v: 1, list: {} }, 'list must be a list'],
  [{ v: 1, at: 'noon' }, 'at must be a time such as 2026-11-29T12:00:00Z'],
  [{ v: 1, word: 'y' }, 'word is no row of x'],
  [{ v: 1, other: 2 }, 'has what nobody knows: other'],
  [
    { v: 2, name: '', size: 0, kind: 'c', list: [] },
    'name must not be empty; size must be at least 1; kind must be one of a, b; and 2 more',
  ],
]

t.test('what schemas say', async (t) => {
  for (const [value, words] of issues) {
    t.equal(
      messageOf(thrown(() => parseJson(schema, JSON.stringify(value)))),
      words,
      JSON.stringify(value),
    )
  }
})
