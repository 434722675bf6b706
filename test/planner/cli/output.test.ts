/** The installed programs where nobody takes what they say: full devices, readers that leave, streams that were closed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { demoModelPath } from '../comparison/models.ts'
import { running } from './running-planner.ts'

const PLANNER = fileURLToPath(new URL('../../../planner/cli/main.js', import.meta.url))
const AGENT = fileURLToPath(new URL('../../../agent/cli/main.js', import.meta.url))
const skip = !existsSync('/dev/full') && 'no /dev/full here'

t.setTimeout(400_000)

/** @param line what a shell runs; $F and $A are the programs */
async function shell(line: string) {
  const env = {
    ...process.env,
    F: `${process.execPath} ${PLANNER}`,
    A: `${process.execPath} ${AGENT}`,
  }
  const child = spawn('bash', ['-c', `set -o pipefail; ${line}`], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (text) => {
    said.out += text
  })
  child.stderr.on('data', (text) => {
    said.err += text
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...said }
}

const FULL =
  /^error \[output-failed\]: the result cannot be written: no room is left on the disk \(ENOSPC\); .*\n$/

t.test('a full device: one line, and a failure', { skip }, async (t) => {
  const { data } = await running(t)
  const stateDir = t.testdir({})
  for (const command of [
    '$F --help',
    '$F --version',
    '$F models',
    `$F inspect ${demoModelPath}`,
    `$F inspect ${demoModelPath} --json`,
    `$F devices --data ${data}`,
    `$F models list --data ${data} --json`,
    `$F alarms --data ${data}`,
    `$F doctor --data ${data}`,
    '$A --help',
    `$A status --state-dir ${stateDir}`,
    `$A status --state-dir ${stateDir} --json`,
    `$A doctor --state-dir ${stateDir}`,
  ]) {
    const { code, err } = await shell(`${command} > /dev/full`)
    if (command === '$F models')
      t.match({ code, err }, { code: 2, err: /^Usage/m }, 'its help is on standard error')
    else {
      t.equal(code, 1, command)
      t.match(err, FULL, command)
    }
  }
})

t.test('standard error that nobody takes changes no answer', { skip }, async (t) => {
  t.match(await shell('$F inspect /nowhere.tflite 2> /dev/full'), { code: 2, out: '', err: '' })
  t.match(await shell('$A status --state-dir /nowhere 2> /dev/full'), { code: 2, out: '', err: '' })
  t.match(await shell('$F --version 2>&-'), { code: 0, out: /^\d/ })
  t.match(await shell('$F nonsense 2>&1 | head -c 0'), { code: 2 })
})

t.test('a reader that has seen enough is no error', async (t) => {
  const table = await shell(
    `for i in 1 2 3; do $F inspect ${demoModelPath} --json | head -n 1 || exit 9; done`,
  )
  t.match(table, { code: 0, out: '{\n{\n{\n', err: '' })
  t.match(await shell(`$F inspect ${demoModelPath} | true`), { code: 0, out: '', err: '' })
  t.match(await shell('$A --help | head -n 1'), { code: 0, out: /^Usage: .*\n$/, err: '' })
  t.match(await shell(`$A doctor --state-dir ${t.testdir({})} --json | true`), { err: '' })
})

t.test('no standard input, or a folder', async (t) => {
  const join = `$A join - --state-dir ${t.testdir({})}`
  t.match(await shell(`${join} <&-`), { code: 1, err: /^error \[[a-z-]+\]: .*\n$/ })
  t.match(await shell(`${join} < /`), {
    code: 1,
    err: /^error \[[a-z-]+\]: .*\n$/,
  })
  t.match(await shell('$F --version <&- >&-'), { code: 0, err: '' })
})

t.test('a planner goes on where nobody takes what it says', { skip }, async (t) => {
  const data = t.testdir({})
  const serve = `$F serve --data ${data} --port 0 --insecure-loopback --log-level debug > /dev/full 2>&1 & `
  // It answers still, once it is up; SIGTERM ends it in order.
  const line = `${serve} for i in $(seq 100); do $F devices --data ${data} > /dev/null 2>&1 && break; sleep 0.2; done; $F devices --data ${data} --json; kill %1; wait %1`
  t.match(await shell(line), { code: 0, out: /\[\]|"devices"/, err: '' })
})
