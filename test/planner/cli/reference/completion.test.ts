import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { programReference } from '../../../../packaging/reference.ts'
import { SHELLS } from '../../../../planner/cli/reference/completion.ts'
import { flat } from '../../../../planner/cli/reference/tree.ts'
import { fitment } from '../run-fitment.ts'

const PROGRAMS = ['fitment', 'fitment-agent'] as const
const lacks = (program: string) =>
  spawnSync(program, ['--version']).status === 0 ? false : `no ${program} here`

t.test('a real bash completes', { skip: lacks('bash') }, async (t) => {
  const dir = t.testdir({})
  for (const name of PROGRAMS) {
    writeFileSync(join(dir, name), SHELLS.bash(await programReference(name)))
  }
  const bash = (script: string) =>
    execFileSync('bash', ['-c', script], { cwd: dir, encoding: 'utf8' })
  for (const name of PROGRAMS) {
    t.match(
      bash(`source ./${name}; complete -p ${name}`),
      new RegExp(`^complete .*-F _fitment\\w* ${name}\\n$`),
    )
  }
  const completed = (name: string, ...words: string[]) => {
    const quoted = [name, ...words].map((word) => `'${word}'`).join(' ')
    const drive = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _${name.replace('-', '_')}; printf '%s\\n' "\${COMPREPLY[@]}"`
    return bash(`source ./${name}; ${drive}`)
      .split('\n')
      .filter((word) => word !== '')
  }
  t.same(completed('fitment', 'dev'), ['devices'])
  t.same(completed('fitment', 'devices', 're'), ['revoke', 'retire', 'remove'])
  t.same(completed('fitment', 'models', 'sh'), ['show'])
  t.same(completed('fitment', 'devices', '--data', 'x', '--st'), ['--state'])
  t.same(completed('fitment', 'devices', '-o', ''), ['wide', 'json', 'csv'])
  t.same(completed('fitment', 'devices', '--state', 'on'), ['online'])
  t.same(completed('fitment', 'devices', '--data', ''), [], 'files are the shell’s own')
  t.same(completed('fitment', 'inspect', ''), [], 'files are the shell’s own')
  t.same(completed('fitment-agent', 'sta'), ['status'])
  t.same(completed('fitment-agent', 'run', '--open'), ['--openvino-devices'])
  const all = completed('fitment', '')
  const known = (await programReference('fitment')).commands.map(({ name }) => name)
  t.same([...all].sort(), [...known].sort())
})

t.test('bash takes it as its manual says: source <(fitment completion bash)', async (t) => {
  const { out, code } = await fitment('completion', 'bash')
  t.equal(code, 0)
  t.equal(out, SHELLS.bash(await programReference('fitment')))
})

for (const [shell, check] of [
  ['bash', ['-n']],
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
] as const) {
  t.test(`${shell} reads its own completions`, { skip: lacks(shell) }, async (t) => {
    const dir = t.testdir({})
    for (const name of PROGRAMS) {
      const file = join(dir, name)
      writeFileSync(file, SHELLS[shell](await programReference(name)))
      const { status, stderr } = spawnSync(shell, [...check, file], { encoding: 'utf8' })
      t.same({ status, stderr }, { status: 0, stderr: '' })
    }
  })
}

t.test('fish completes', { skip: lacks('fish') }, async (t) => {
  const file = join(t.testdir({}), 'fitment.fish')
  writeFileSync(file, SHELLS.fish(await programReference('fitment')))
  const completed = (line: string) =>
    execFileSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], {
      encoding: 'utf8',
    })
      .split('\n')
      .map((one) => one.split('\t')[0])
      .filter((word) => word !== '')
  t.same(completed('fitment dev'), ['devices'])
  t.same(completed('fitment devices --state o'), ['offline', 'online'])
  t.same(completed('fitment models sho'), ['show'])
})

t.test('a shell that is none: one line', async (t) => {
  t.match(await fitment('completion', 'tcsh'), {
    code: 2,
    err: /^error \[usage\]: shell: .*\n$/,
  })
})

t.test('the tree is the parser’s: every command with its options and an example', async (t) => {
  for (const name of PROGRAMS) {
    const [, ...commands] = flat(await programReference(name))
    const doing = commands.filter(({ commands: below, example }) => below.length === 0 || example)
    for (const { path, example, options, summary } of doing) {
      t.ok(
        example?.startsWith(path.startsWith('fitment-agent') ? 'fitment-agent' : 'fitment'),
        path,
      )
      t.ok(summary.length > 10, path)
      t.ok(
        options.some(({ names }) => names.includes('--help')),
        path,
      )
    }
  }
})
