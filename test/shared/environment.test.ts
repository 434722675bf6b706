import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { environmentName, SETTING_FLAGS } from '../../agent/cli/settings.ts'
import { VARIABLES } from '../../shared/environment.ts'

const listed = new Set(VARIABLES.map(({ name }) => name))
const SOURCES = ['agent', 'broker', 'planner', 'shared']

t.test('every variable that the sources name is listed', async (t) => {
  const named = new Map<string, string>()
  for (const source of SOURCES) {
    for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(file) || join(source, file) === 'shared/environment.ts') continue
      const text = readFileSync(join(source, file), 'utf8')
      for (const [name] of text.matchAll(/\bFITMENT_[A-Z][A-Z_]*[A-Z]\b/g)) {
        named.set(name, join(source, file))
      }
    }
  }
  t.ok(named.size > 10)
  for (const [name, file] of named) t.ok(listed.has(name), `${name}, which ${file} names`)
})

t.test('every setting of an agent is listed with its flag', async (t) => {
  for (const { key, flags } of SETTING_FLAGS) {
    const variable = VARIABLES.find(({ name }) => name === environmentName(key))
    const [flag = ''] = flags.split(' ')
    t.ok(variable?.of.includes('fitment-agent'), key)
    t.ok(variable?.meaning.includes(flag), `${key}: ${flag}`)
  }
})

t.test('the page of the documentation has them all, and no other', async (t) => {
  const page = readFileSync('docs/command-line.md', 'utf8')
  const told = new Set([...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(([, name]) => name))
  t.same([...told].sort(), [...listed].sort())
})
