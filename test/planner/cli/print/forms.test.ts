import { execFileSync, spawnSync } from 'node:child_process'
import t from 'tap'
import { csvOf } from '../../../../planner/cli/print/csv.ts'
import { cell } from '../../../../planner/cli/print/figure.ts'
import { apart, table } from '../../../../planner/cli/print/page.ts'
import { sorted } from '../../../../planner/cli/print/sort.ts'
import { UsageError } from '../../../../shared/errors.ts'

const size = (value: number | null) => cell(value, (bytes) => `${bytes / 1024} KiB`)

const list = table(
  ['NAME', 'SIZE', 'NOTE'],
  [
    ['press-10', size(2048), 'says "stop", then\nleaves'],
    ['press-9', size(10_240), '=HYPERLINK("http://evil")'],
    ['press-1', size(null), '-5.5'],
  ],
)

t.test('CSV by RFC 4180: figures plain, formulas as text', async (t) => {
  t.equal(
    csvOf([], list),
    [
      'NAME,SIZE,NOTE',
      'press-10,2048,"says ""stop"", then\nleaves"',
      'press-9,10240,"\'=HYPERLINK(""http://evil"")"',
      'press-1,,-5.5',
      '',
    ].join('\r\n'),
  )
})

const python = spawnSync('python3', ['--version']).status === 0

t.test('a parser that is not ours reads it', { skip: !python && 'no python3 here' }, async (t) => {
  const program =
    'import csv,sys,json; print(json.dumps(list(csv.reader(open(0, newline=""), strict=True))))'
  const told = execFileSync('python3', ['-c', program], {
    input: csvOf([], list),
    encoding: 'utf8',
  })
  t.same(JSON.parse(told), [
    ['NAME', 'SIZE', 'NOTE'],
    ['press-10', '2048', 'says "stop", then\nleaves'],
    ['press-9', '10240', '\'=HYPERLINK("http://evil")'],
    ['press-1', '', '-5.5'],
  ])
})

t.test('a record without a list: its fields, those of parts by their path', async (t) => {
  const record = { id: 'a', place: { hall: 2, row: null }, tags: ['x', 'y'], more: [{ b: 1 }] }
  t.equal(csvOf(record, 'done'), 'id,place.hall,place.row,tags,more\r\na,2,,x y,"[{""b"":1}]"\r\n')
  t.equal(csvOf([], 'nothing is there'), '')
  t.equal(csvOf([{ a: 1 }, { b: 2 }], ''), 'a,b\r\n1,\r\n,2\r\n')
})

t.test('of several lists the main one', async (t) => {
  const main = table(['MAIN'], [['1']], { main: true })
  t.equal(csvOf({}, apart(list, main)), 'MAIN\r\n1\r\n')
})

t.test(
  'order: figures by value, names as people count, none last; the value with them',
  async (t) => {
    const value = [{ id: 10 }, { id: 9 }, { id: 1 }]
    const names = (wish: string) => {
      const told = sorted(list, value, wish)
      return { csv: csvOf([], told.page).match(/press-\d+/g), value: told.value }
    }
    t.same(names('NAME'), {
      csv: ['press-1', 'press-9', 'press-10'],
      value: [{ id: 1 }, { id: 9 }, { id: 10 }],
    })
    t.same(names('-size').csv, ['press-9', 'press-10', 'press-1'])
    t.same(names('SIZE').csv, ['press-10', 'press-9', 'press-1'])
    t.equal(Array.isArray(sorted(list, { other: 1 }, 'NAME').value), false)
    for (const wrong of ['', '-', 'NOPE', '--NAME']) {
      t.throws(() => sorted(list, value, wrong), UsageError)
    }
    t.equal(sorted('nothing is there', value, 'NAME').page, 'nothing is there')
  },
)
