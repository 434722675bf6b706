/**
 * `npm run conformance`: our TUF client against the tests of python-tuf, TUF's reference implementation.
 * `npm run conformance -- --suite DIR`: against the official suite; DIR is a clone of
 * github.com/theupdateframework/tuf-conformance. Arguments after it are pytest's.
 * Needs python3 with venv and the way to PyPI; everything fetched stays in one folder, and is used again.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSION = '7.0.1'
const PACKAGES = [`tuf==${VERSION}`, 'securesystemslib[crypto]==1.4.0', 'freezegun==1.5.5']

const dir = process.env.FITMENT_CONFORMANCE_DIR ?? join(tmpdir(), `fitment-tuf-${VERSION}`)
const client = fileURLToPath(new URL('./client.js', import.meta.url))

function run(command: string, args: readonly string[], quiet = true, cwd = dir): void {
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'],
  })
  if (status !== 0)
    stop(`${command} ${args.join(' ')}: ${error?.message ?? `ended with ${status}`}`)
}

function stop(message: string): never {
  console.error(message)
  process.exit(1)
}

function venv(name: string): string {
  mkdirSync(dir, { recursive: true })
  const python = join(dir, name, 'bin', 'python')
  if (!existsSync(python)) run('python3', ['-m', 'venv', name])
  return python
}

function pythonTuf(): void {
  const python = venv('venv')
  const source = join(dir, `tuf-${VERSION}`)
  const suite = join(process.cwd(), 'test', 'conformance', 'tuf', 'python_tuf_suite.py')
  run(python, ['-m', 'pip', 'install', '--quiet', ...PACKAGES])
  if (!existsSync(source)) {
    const only = ['--no-deps', '--no-binary', ':all:']
    run(python, ['-m', 'pip', 'download', '--quiet', ...only, `tuf==${VERSION}`])
    run('tar', ['xzf', `tuf-${VERSION}.tar.gz`])
  }
  console.log(`python-tuf ${VERSION} against our client, Node ${process.version}`)
  run(python, [suite, source, process.execPath, client], false)
}

function officialSuite(suite: string, pytest: readonly string[]): void {
  if (!existsSync(join(suite, 'tuf_conformance', 'conftest.py')))
    stop(
      `${suite} is no tuf-conformance: clone github.com/theupdateframework/tuf-conformance there`,
    )
  if (spawnSync('faketime', ['now', 'true']).status !== 0)
    stop('the suite moves the clock with faketime: install it (apt install faketime)')
  const python = venv('venv-suite')
  run(python, ['-m', 'pip', 'install', '--quiet', '-e', suite])
  // The suite looks for `<entrypoint>.xfails` beside it; there is none, since nothing is expected to fail.
  const entry = join(dir, 'client')
  writeFileSync(entry, `#!/bin/sh\nexec '${process.execPath}' '${client}' "$@"\n`, { mode: 0o755 })
  const args = ['-m', 'pytest', 'tuf_conformance', '--quiet', '--entrypoint', entry, ...pytest]
  run(python, args, false, suite)
}

const [option, suite, ...rest] = process.argv.slice(2)
if (option === undefined) pythonTuf()
else if (option === '--suite' && suite) officialSuite(resolve(suite), rest)
else stop('npm run conformance [-- --suite DIR [pytest arguments]]')
