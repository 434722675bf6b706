import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { parse } from 'yaml'
import { agentMetrics } from '../../../agent/daemon/index.ts'
import { startBroker } from '../../../broker/index.ts'
import { family, textOf } from '../../../shared/exposition/index.ts'
import { httpPlanner } from './http-planner.ts'

const read = (name: string) => readFileSync(join(process.cwd(), 'docs', 'monitoring', name), 'utf8')

/** Families by name, with the labels that their samples have. */
function exposed(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const families = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    const [, declared] = /^# TYPE (\w+) \w+$/.exec(line) ?? []
    if (declared !== undefined) families.set(declared, families.get(declared) ?? new Set())
    const [, name = '', pairs = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? []
    const own = families.get(name.replace(/_(bucket|sum|count)$/, '')) ?? families.get(name)
    for (const [, label = ''] of pairs.matchAll(/(\w+)="/g)) own?.add(label)
  }
  return families
}

const FUNCTIONS = new Set(['sum', 'by', 'rate', 'absent', 'changes', 'and', 'histogram_quantile'])

/** Names in an expression that are no functions, durations, labels or texts. */
function namesIn(expression: string): string[] {
  const bare = expression
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[\w+\]/g, '')
    .replace(/by \([^)]*\)/g, '')
  return (bare.match(/[a-z_][a-z0-9_]*/g) ?? []).filter((word) => !FUNCTIONS.has(word))
}

t.test('dashboard and alerts ask for nothing that is not shown', async (t) => {
  const { ask } = await httpPlanner(t)
  const broker = await startBroker({ fleets: ['default'], log: pino({ level: 'silent' }) })
  t.teardown(() => broker.close())
  const agent = agentMetrics({
    ...{ v: 1, running: false, session: null, models: [] },
    ...{ probes: { open: 0, done: 0 }, reportsWaiting: 0 },
  })
  const { text } = await ask('GET', '/metrics')
  const known = exposed(text + textOf(broker.figures()) + agent)
  const { groups } = parse(read('alerts.yaml')) as {
    groups: { rules: { alert: string; expr: string }[] }[]
  }
  const rules = groups.flatMap(({ rules: all }) => all)
  t.ok(rules.length > 8)
  const { panels } = JSON.parse(read('grafana-dashboard.json')) as {
    panels: { title: string; targets: { expr: string }[] }[]
  }
  const asked = [
    ...rules.map(({ alert, expr }) => [alert, expr] as const),
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ]
  for (const [where, expression] of asked) {
    const names = namesIn(expression)
    t.ok(names.length > 0, where)
    for (const name of names) {
      t.ok(known.has(name.replace(/_bucket$/, '')), `${where}: ${name}`)
    }
  }
})

t.test('a family of ten thousand is one of five hundred, and adds up', async (t) => {
  const samples = Array.from({ length: 10_000 }, (_, index) => ({
    labels: { class: `c${index}`, state: 'online' },
    value: 1,
  }))
  const lines = textOf([family('gauge', 'x', 'X.', samples)])
    .trim()
    .split('\n')
    .slice(2)
  t.equal(lines.length, 500)
  t.equal(lines.at(-1), 'x{class="other",state="other"} 9501')
})

t.test('what a name may hold breaks no line', async (t) => {
  const text = textOf([
    family('gauge', 'x', 'A\nB\\', [
      { labels: { model: 'a"b\\c\nd' }, value: Number.POSITIVE_INFINITY },
    ]),
  ])
  t.equal(text, '# HELP x A\\nB\\\\\n# TYPE x gauge\nx{model="a\\"b\\\\c\\nd"} +Inf\n')
})
