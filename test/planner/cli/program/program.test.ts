import { Writable } from 'node:stream'
import t from 'tap'
import { z } from 'zod'
import { tableText as table } from '../../../../planner/cli/print/layout.ts'
import { defineCommand } from '../../../../planner/cli/program/command.ts'
import { runProgram } from '../../../../planner/cli/program/program.ts'
import { UsageError } from '../../../../shared/errors.ts'

const greet = defineCommand({
  path: 'people greet',
  summary: 'Greets somebody.',
  arguments: [{ name: 'name', description: 'whom' }],
  options: [
    { flags: '--times <n>', description: 'how often', default: '1' },
    { flags: '--also <names...>', description: 'whom too' },
  ],
  example: 'fitment people greet Ada --times 2',
  input: z.object({
    name: z.string().min(2, 'a name has two letters'),
    times: z.coerce.number().int(),
    also: z.array(z.string()).default([]),
  }),
  run: async ({ name, times, also }, io) => {
    if (name === 'Nobody') throw new UsageError('nobody is not a person: name one')
    if (name === 'Bug') throw new TypeError('oops')
    io.result({ name, times }, () => `hello ${[name, ...also].join(' and ')}`.repeat(times))
    return name === 'Finding' ? 1 : 0
  },
})

async function run(...argv: string[]) {
  const written = { out: '', err: '' }
  const sink = (key: 'out' | 'err') =>
    new Writable({
      write(chunk, _encoding, done) {
        written[key] += String(chunk)
        done()
      },
    })
  const code = await runProgram([greet], argv, { stdout: sink('out'), stderr: sink('err') })
  return { code, ...written }
}

const rows: { argv: string[]; code: number; out?: RegExp; err?: RegExp }[] = [
  { argv: ['people', 'greet', 'Ada'], code: 0, out: /^hello Ada\n$/ },
  { argv: ['people', 'greet', 'Ada', '--times', '2', '--json'], code: 0, out: /"times": 2/ },
  { argv: ['people', 'greet', 'Finding'], code: 1 },
  {
    argv: ['people', 'greet', 'A'],
    code: 2,
    err: /^error \[usage\]: name: a name has two letters/,
  },
  { argv: ['people', 'greet', 'Ada', '--times', 'x'], code: 2, err: /--times: / },
  {
    argv: ['people', 'greet', 'Ada', '--times', '2', '--times', '3'],
    code: 2,
    err: /^error \[usage\]: --times is given twice, as "2" and "3": leave one out.*\n$/,
  },
  {
    argv: ['people', 'greet', 'Ada', '--times', '1', '--times', '1'],
    code: 0,
    out: /^hello Ada\n$/,
  },
  {
    argv: ['people', 'greet', 'Ada', '--also', 'Bob', 'Eve', '--also', 'Kim'],
    code: 0,
    out: /^hello Ada and Bob and Eve and Kim\n$/,
  },
  { argv: ['people', 'greet', 'Nobody'], code: 2, err: /nobody is not a person/ },
  { argv: ['people', 'greet', 'Bug'], code: 1, err: /error \[internal\]: oops\n.*TypeError/ },
  { argv: ['people', 'greet'], code: 2, err: /missing required argument/ },
  { argv: ['people', 'greet', 'Ada', '--what'], code: 2, err: /unknown option/ },
  { argv: ['nothing'], code: 2, err: /unknown command/ },
  { argv: ['--version'], code: 0, out: /^\d+\.\d+\.\d+\n$/ },
  {
    argv: ['people', 'greet', '--help'],
    code: 0,
    out: /Example:\n {2}\$ fitment people greet Ada/,
  },
]

for (const row of rows) {
  t.test(`fitment ${row.argv.join(' ')}`, async (t) => {
    const result = await run(...row.argv)
    t.equal(result.code, row.code)
    if (row.out) t.match(result.out, row.out)
    if (row.err) t.match(result.err, row.err)
  })
}

t.test('a table is columns and nothing else', async (t) => {
  t.equal(
    table(
      ['A', 'LONGER'],
      [
        ['1', 'x'],
        ['long', 'y'],
      ],
    ),
    'A     LONGER\n1     x\nlong  y',
  )
})
