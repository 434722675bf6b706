import t from 'tap'
import { compareModels } from '../../../planner/comparison/index.ts'
import { renderReport } from '../../../planner/comparison/report/index.ts'
import { Markup, markup } from '../../../planner/comparison/report/markup.ts'
import { axisOver, byteUnit } from '../../../planner/comparison/report/plots/axis.ts'
import { changed, demoData, floatFile, quantized } from './models.ts'

const HOSTILE = `</title></style><script>alert('1')</script><img src="http://x.example/y.png" onerror='z()'>&\u0007\u202e`

/** Elements that HTML closes by itself. */
const VOID = new Set(['meta', 'br', '!doctype'])

function openTags(html: string): string[] {
  const open: string[] = []
  for (const [, close, name = '', selfClosed] of html.matchAll(
    /<(\/?)([a-z0-9!]+)(?:\s[^<>]*?)?(\/?)>/gi,
  )) {
    if (VOID.has(name.toLowerCase()) || selfClosed) continue
    if (!close) open.push(name)
    else if (open.pop() !== name) return [`</${name}> closes something else`]
  }
  return open
}

t.test('a page of several models', async (t) => {
  const hostile = (file: typeof floatFile) =>
    changed(file, (model) => {
      for (const { tensors } of model.subgraphs)
        for (const tensor of tensors) tensor.name = `${HOSTILE}${tensor.name}`
    })
  const files = [await quantized('static-w8a8'), await quantized('dynamic-w8')]
  const comparison = await compareModels({
    float: hostile(floatFile),
    quantized: files.map(hostile).map((file) => ({ ...file, file: `${HOSTILE}${file.file}` })),
    dataset: await demoData(6),
    latencyMs: 100,
  })
  const page = renderReport(comparison)

  t.test('loads nothing and runs nothing, whatever the tensors are called', async (t) => {
    t.notMatch(page, /<script|<img|<link|<iframe|@import|url\(/i)
    const bare = page.replace(/"[^"]*"/g, '""')
    t.notMatch(bare, /<[^>]*\s(?:src|href|on[a-z]+)\s*=/i)
    t.notOk(page.includes('\u0007') || page.includes('\u202e'), 'no steering characters')
    t.match(page, '&lt;script&gt;alert(&#39;1&#39;)')
    t.match(page, `default-src 'none'`)
    t.same(openTags(page), [])
  })

  t.test('shows every plot and every layer', async (t) => {
    for (const title of [
      'Error per layer',
      'Size by storage type',
      'By scheme',
      'Agreement with float',
      'Latency p50',
      'Operators by how they compute',
    ]) {
      t.match(page, title)
    }
    const drawn = [...page.matchAll(/<title>#(\d+) /g)]
    const layers = comparison.quantized.reduce((sum, one) => sum + one.layers.length, 0)
    t.equal(drawn.length, layers)
    t.notMatch(page, /NaN|undefined|Infinity/)
    t.match(page, 'prefers-color-scheme: dark')
  })

  t.test('is the same every time, but for the clock', async (t) => {
    t.equal(renderReport(comparison), page)
  })
})

t.test('markup escapes what is put in', async (t) => {
  t.equal(markup`<b>${'<&>"\''}</b>`.text, '<b>&lt;&amp;&gt;&quot;&#39;</b>')
  t.equal(markup`${[markup`<i>${1 / 3}</i>`, null, 'x']}`.text, '<i>0.33</i>x')
  t.equal(markup`${new Markup('<hr>')}`.text, '<hr>')
})

t.test('axes', async (t) => {
  const axis = axisOver(0.2, 9.4, [100, 200])
  t.same(axis.ticks, [0, 2, 4, 6, 8, 10])
  t.equal(axis.at(5), 150)
  t.equal(axis.at(-3), 100)
  t.equal(axis.at(1e9), 200)
  t.ok(axisOver(3, 3, [0, 1]).ticks.length >= 2, 'a single number has an axis too')
  t.ok(axisOver(0, 0, [0, 1]).ticks.every(Number.isFinite))
  t.same(
    axisOver(0, 350 * 1024, [0, 1], 4, byteUnit(350 * 1024)).ticks.map((tick) => tick / 1024),
    [0, 100, 200, 300, 400],
  )
})
