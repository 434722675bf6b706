import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import {
  allManualPages,
  programReference,
  referenceFiles,
} from '../../../../packaging/reference.ts'
import { flat } from '../../../../planner/cli/reference/tree.ts'
import { VARIABLES } from '../../../../shared/environment.ts'
import { fitment } from '../run-fitment.ts'

const hasMan = spawnSync('man', ['--version']).status === 0
const hasGroff = spawnSync('groff', ['--version']).status === 0

t.test('a page for each program and each command', async (t) => {
  const files = (await allManualPages()).map(({ file }) => file)
  for (const file of [
    'fitment.1',
    'fitment-agent.1',
    'fitment-models-add.1',
    'fitment-agent-run.1',
  ]) {
    t.ok(files.includes(file), file)
  }
  t.equal(new Set(files).size, files.length)
  const doing = flat(await programReference('fitment')).filter(({ example }) => example)
  for (const { path } of doing) t.ok(files.includes(`${path.replaceAll(' ', '-')}.1`), path)
})

t.test('groff has nothing to warn of', { skip: !hasGroff && 'no groff here' }, async (t) => {
  const dir = t.testdir({})
  const pages = await allManualPages()
  for (const { file, text } of pages) writeFileSync(join(dir, file), text)
  const files = pages.map(({ file }) => join(dir, file))
  const { status, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z', ...files], {
    encoding: 'utf8',
  })
  t.same({ status, stderr }, { status: 0, stderr: '' })
})

t.test('what man shows is what --help says', { skip: !hasMan && 'no man here' }, async (t) => {
  const page = (await allManualPages()).find(({ file }) => file === 'fitment-devices.1')
  const file = join(t.testdir({}), 'fitment-devices.1')
  writeFileSync(file, page?.text ?? '')
  const { stdout } = spawnSync('man', ['-l', file], {
    encoding: 'utf8',
    env: { ...process.env, MANWIDTH: '500', LC_ALL: 'C.UTF-8', MANPAGER: 'cat', PAGER: 'cat' },
  })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: overstrikes and escapes of terminals
  const shown = stdout.replace(/.\u0008|\u001b\[[\d;]*m/g, '')
  const help = (await fitment('devices', '--help')).out
  for (const [flag] of help.matchAll(/--[a-z-]+ <\w+>/g)) t.ok(shown.includes(flag), flag)
  t.match(shown, /fitment devices --where 'site=hall-2'/)
})

t.test('the variables of each program are on its page', async (t) => {
  const pages = new Map((await allManualPages()).map(({ file, text }) => [file, text]))
  for (const { name, of } of VARIABLES) {
    for (const program of of) t.ok(pages.get(`${program}.1`)?.includes(name), `${name}: ${program}`)
  }
})

t.test('packages bring them, the same each time', async (t) => {
  for (const name of ['fitment', 'fitment-agent']) {
    const files = await referenceFiles(name)
    t.same(await referenceFiles(name), files)
    const page = files.get(`usr/share/man/man1/${name}.1.gz`)
    t.match(gunzipSync(page ?? '').toString(), /^\.TH FITMENT/)
    for (const folder of ['bash-completion', 'zsh', 'fish']) {
      t.ok(
        [...files.keys()].some((path) => path.startsWith(`usr/share/${folder}/`)),
        folder,
      )
    }
  }
})
