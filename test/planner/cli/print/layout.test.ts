import stringWidth from 'string-width'
import t from 'tap'
import { cell } from '../../../../planner/cli/print/figure.ts'
import { layOut } from '../../../../planner/cli/print/layout.ts'
import { apart, facts, table } from '../../../../planner/cli/print/page.ts'

const list = table(
  ['DEVICE', 'SIZE', 'BOARD', 'STATE', 'WHY'],
  [
    ['press-1', cell(1024, () => '1 KiB'), 'Raspberry Pi 4 Model B', 'online', 'w '.repeat(60)],
    ['press-2', cell(null, String), 'Raspberry Pi 4 Model B', 'offline', 'short'],
  ],
  { spare: ['BOARD', 'SIZE'] },
)

function widths(text: string): number {
  return Math.max(...text.split('\n').map((line) => stringWidth(line)))
}

t.test('as wide as it gets, where nothing bounds it', async (t) => {
  const { text, note } = layOut(list, undefined)
  t.equal(note, '')
  t.ok(widths(text) > 150)
  t.match(text, /^DEVICE {3}SIZE {3}BOARD/)
})

t.test('every line fits, from wide to narrow, and what is missing is said', async (t) => {
  for (let width = 30; width <= 200; width += 1) {
    const { text, note } = layOut(list, width)
    t.ok(widths(text) <= width, `${width}: ${widths(text)}`)
    const isWhole = text === layOut(list, undefined).text
    t.equal(note === '', isWhole)
  }
  const { text, note } = layOut(list, 53)
  t.equal(
    text,
    'DEVICE   SIZE   STATE    WHY\npress-1  1 KiB  online   w w w w w w w w w w w w w w…\npress-2  —      offline  short',
  )
  t.equal(note, '(left out: BOARD; cells that end in … are cut: --format wide shows all)')
})

t.test('a narrow terminal loses the columns of least worth, in their order', async (t) => {
  t.match(layOut(list, 45).note, /left out: BOARD, SIZE/)
})

t.test('wide characters, combining ones, and what would steer a terminal', async (t) => {
  const odd = table(
    ['NAME', 'NOTE'],
    [
      ['プレス機', 'x'],
      ['e\u0301te\u0301', 'y\u001b[31m red\nline'],
    ],
  )
  const { text } = layOut(odd, undefined)
  const [, first = '', second = ''] = text.split('\n')
  t.equal(stringWidth(first.slice(0, first.indexOf('x'))), 10)
  t.equal(stringWidth(second.slice(0, second.indexOf('y'))), 10)
  t.notOk(text.includes('\u001b'))
  t.equal(text.split('\n').length, 3)
  for (let width = 8; width < 20; width++) t.ok(widths(layOut(odd, width).text) <= width)
})

t.test('facts are wrapped, and lose nothing', async (t) => {
  const words = Array.from({ length: 40 }, (_, at) => `word${at}`).join(' ')
  const page = facts([
    ['because', words],
    ['state', 'online'],
  ])
  const { text, note } = layOut(page, 60)
  t.equal(note, '')
  t.ok(widths(text) <= 60)
  t.equal(text.replace(/\n +/g, ' ').split('\n')[1], `because  ${words}`)
})

t.test('parts stand apart, and empty ones leave no gap', async (t) => {
  t.equal(layOut(apart('a', '', list, 'b'), undefined).text.split('\n\n').length, 3)
})
