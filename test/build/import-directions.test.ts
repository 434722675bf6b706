import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import t, { type Test } from 'tap'

type Files = Readonly<Record<string, readonly string[]>>

/** A small tree that keeps every rule: each file with what it imports. */
const CLEAN: Files = {
  'shared/digest.ts': [],
  'shared/messages/index.ts': ['./topics.ts'],
  'shared/messages/topics.ts': ['../digest.ts', 'zod'],
  'shared/trust/index.ts': ['./keys.ts'],
  'shared/trust/keys.ts': [],
  'agent/index.ts': ['./daemon/index.ts'],
  'agent/daemon/index.ts': ['./journal.ts'],
  'agent/daemon/journal.ts': ['../../shared/messages/index.ts'],
  'agent/artifacts/index.ts': ['./slot.ts'],
  'agent/artifacts/slot.ts': [],
  'agent/client/current.ts': ['../artifacts/slot.ts'],
  'broker/index.ts': ['./hooks.ts'],
  'broker/hooks.ts': ['../shared/messages/index.ts', 'aedes'],
  'planner/graph/graph.ts': ['../../shared/digest.ts'],
  'planner/targets/targets.ts': ['../graph/graph.ts'],
  'planner/formats/index.ts': ['./convert.ts', './onnx/quantizable.ts'],
  'planner/formats/convert.ts': ['./onnx/index.ts'],
  'planner/formats/onnx/quantizable.ts': ['./codec.ts'],
  'planner/formats/onnx/index.ts': ['./codec.ts', './import/index.ts'],
  'planner/formats/onnx/codec.ts': ['../../graph/graph.ts', './transform/perform.ts'],
  'planner/formats/onnx/transform/perform.ts': ['../../../targets/targets.ts'],
  'planner/formats/onnx/import/index.ts': ['./lower.ts'],
  'planner/formats/onnx/import/lower.ts': ['../../tflite/index.ts'],
  'planner/formats/tflite/index.ts': ['./codec.ts'],
  'planner/formats/tflite/codec.ts': [],
  'planner/quantizer/index.ts': ['./plan/plan.ts'],
  'planner/quantizer/plan/plan.ts': ['../../targets/targets.ts'],
  'planner/storage/index.ts': [],
  'planner/cli/main.ts': [
    '../../broker/index.ts',
    '../formats/index.ts',
    '../formats/onnx/index.ts',
  ],
  'test/clock.ts': [],
  'node_modules/zod/index.js': [],
  'node_modules/aedes/index.js': [],
}

/** One import more, and the rule that refuses it. */
const BREACHES: readonly (readonly [rule: string, from: string, imports: string])[] = [
  ['past-the-face', 'planner/storage/rows.ts', '../../shared/messages/topics.ts'],
  ['past-the-face', 'planner/cli/convert.ts', '../formats/onnx/import/index.ts'],
  ['past-the-face', 'planner/cli/inspect.ts', '../formats/convert.ts'],
  ['past-the-face', 'planner/cli/open.ts', '../formats/onnx/quantizable.ts'],
  ['past-the-face', 'planner/formats/onnx/shapes.ts', './import/lower.ts'],
  ['past-the-face', 'agent/client/health.ts', '../artifacts/slot.ts'],
  ['own-face', 'shared/trust/offer.ts', './index.ts'],
  ['own-face', 'planner/quantizer/plan/dynamic.ts', '../index.ts'],
  ['shared-is-the-ground', 'shared/ids.ts', '../planner/storage/index.ts'],
  ['shared-is-the-ground', 'shared/units.ts', './trust/index.ts'],
  ['the-wire-is-the-api', 'agent/daemon/order.ts', '../../broker/index.ts'],
  ['the-wire-is-the-api', 'broker/joining.ts', '../planner/storage/index.ts'],
  ['the-wire-is-the-api', 'planner/storage/events.ts', '../../broker/index.ts'],
  ['waist', 'planner/graph/links.ts', '../targets/targets.ts'],
  ['waist', 'planner/targets/costs.ts', '../storage/index.ts'],
  ['waist', 'planner/quantizer/open.ts', '../formats/onnx/index.ts'],
  ['waist', 'planner/formats/tflite/view.ts', '../onnx/index.ts'],
  ['waist', 'planner/formats/onnx/view.ts', '../tflite/index.ts'],
  ['device-packages', 'agent/daemon/rows.ts', 'aedes'],
  ['no-tests', 'broker/pace.ts', '../test/clock.ts'],
  ['unresolved', 'broker/limits.ts', './lost.ts'],
]

/** Types only: for these rules they are imports like any other. */
const textOf = (imports: readonly string[]) =>
  `${imports.map((specifier) => `import type { T } from '${specifier}'\n`).join('')}export type T = 0\n`

/** A folder with these files and the configuration of this repository. */
function treeOf(t: Test, files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'fitment-imports-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const file of ['.dependency-cruiser.mjs', 'biome.json', '.gitignore'])
    copyFileSync(file, join(folder, file))
  for (const [file, imports] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), textOf(imports))
  }
  return folder
}

function run(cwd: string, program: string, ...argv: readonly string[]): string {
  const bin = join(process.cwd(), 'node_modules', '.bin', program)
  return spawnSync(bin, argv, { cwd, encoding: 'utf8' }).stdout
}

/** Of the errors, `rule: from → to`, sorted. */
function violations(folder: string): string[] {
  const json = run(folder, 'depcruise', '-T', 'json', 'agent', 'broker', 'planner', 'shared')
  const { summary } = JSON.parse(json) as {
    summary: {
      violations: { rule: { name: string; severity: string }; from: string; to: string }[]
    }
  }
  return summary.violations
    .filter(({ rule }) => rule.severity === 'error')
    .map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
    .sort()
}

const imported = (from: string, specifier: string) =>
  specifier.startsWith('.')
    ? posix.join(posix.dirname(from), specifier)
    : `node_modules/${specifier}/index.js`

t.test('a tree that keeps the rules passes, its exceptions included', async (t) => {
  t.strictSame(violations(treeOf(t, CLEAN)), [])
})

t.test('each rule refuses the import that breaks it, and nothing else', async (t) => {
  const planted = BREACHES.map(([, from, specifier]) => [from, [specifier]] as const)
  const found = violations(treeOf(t, { ...CLEAN, ...Object.fromEntries(planted) }))
  t.strictSame(
    found.filter((violation) => !violation.startsWith('folder-cycle')),
    BREACHES.map(([rule, from, specifier]) =>
      rule === 'unresolved'
        ? `${rule}: ${from} → ${specifier}`
        : `${rule}: ${from} → ${imported(from, specifier)}`,
    ).sort(),
  )
})

t.test('folders that import each other are refused, by their faces and within one', async (t) => {
  const files = {
    'shared/messages/orders.ts': ['../trust/index.ts'],
    'shared/trust/offer.ts': ['../messages/index.ts'],
    'planner/quantizer/plan/ranges.ts': ['../calibrate/moments.ts'],
    'planner/quantizer/calibrate/moments.ts': ['./histogram.ts'],
    'planner/quantizer/calibrate/histogram.ts': ['../plan/plan.ts'],
  }
  t.strictSame(violations(treeOf(t, { ...CLEAN, ...files })), [
    'folder-cycle: planner/quantizer/calibrate → planner/quantizer/plan',
    'folder-cycle: planner/quantizer/plan → planner/quantizer/calibrate',
    'folder-cycle: shared/messages → shared/trust',
    'folder-cycle: shared/trust → shared/messages',
  ])
})

t.test('files that import each other are refused, for types too', async (t) => {
  const folder = treeOf(t, { 'shared/a.ts': ['./b.ts'], 'shared/b.ts': ['./a.ts'] })
  const told = run(folder, 'biome', 'lint', '--only=suspicious/noImportCycles', '--reporter=github')
  for (const file of ['shared/a.ts', 'shared/b.ts'])
    t.match(told, new RegExp(`::error title=\\S*noImportCycles,file=\\S*${file}`))
})
