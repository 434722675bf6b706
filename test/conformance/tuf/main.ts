/**
 * `npm run conformance`: our TUF client against the tests of python-tuf, TUF's reference implementation.
 * Needs python3 with venv and the way to PyPI; everything it fetches stays in one folder, and is used again.
 * The tuf-conformance suite itself is on GitHub only; `client.ts` speaks its protocol for whoever has it.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSION = '7.0.1'
const PACKAGES = [`tuf==${VERSION}`, 'securesystemslib[crypto]==1.4.0', 'freezegun==1.5.5']

const dir = process.env.FITMENT_CONFORMANCE_DIR ?? join(tmpdir(), `fitment-tuf-${VERSION}`)
const python = join(dir, 'venv', 'bin', 'python')
const source = join(dir, `tuf-${VERSION}`)
const suite = join(process.cwd(), 'test', 'conformance', 'tuf', 'python_tuf_suite.py')
const client = fileURLToPath(new URL('./client.js', import.meta.url))

function run(command: string, args: readonly string[], quiet = true): void {
  const { status, error } = spawnSync(command, args, {
    cwd: dir,
    stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'],
  })
  if (status === 0) return
  console.error(`${command} ${args.join(' ')}: ${error?.message ?? `ended with ${status}`}`)
  process.exit(status ?? 1)
}

mkdirSync(dir, { recursive: true })
if (!existsSync(python)) run('python3', ['-m', 'venv', 'venv'])
run(python, ['-m', 'pip', 'install', '--quiet', ...PACKAGES])
if (!existsSync(source)) {
  const only = ['--no-deps', '--no-binary', ':all:']
  run(python, ['-m', 'pip', 'download', '--quiet', ...only, `tuf==${VERSION}`])
  run('tar', ['xzf', `tuf-${VERSION}.tar.gz`])
}
console.log(`python-tuf ${VERSION} against our client, Node ${process.version}`)
run(python, [suite, source, process.execPath, client], false)
