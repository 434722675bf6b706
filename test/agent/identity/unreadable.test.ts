/** An identity that is there and cannot be read is whole: nothing may advise to make another in its stead. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { MAIN } from '../agent-process.ts'
import { stateDirOf } from '../device.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0

/** By a user who owns nothing here. */
function run(stateDir: string, ...argv: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...argv, '--state-dir', stateDir], {
    encoding: 'utf8',
    ...(isRoot && { uid: NOBODY, gid: NOBODY }),
  })
  return { status, stderr }
}

function joined(t: Test): { stateDir: string; identity: string } {
  const stateDir = stateDirOf(t)
  chmodSync(stateDir, 0o755)
  mkdirSync(join(stateDir, 'identity'))
  const identity = join(stateDir, 'identity', 'identity.json')
  writeFileSync(identity, '{}')
  return { stateDir, identity }
}

const THROW_AWAY = /remove|delete|join again|new token/i

t.test('another user’s', async (t) => {
  const { stateDir, identity } = joined(t)
  chmodSync(identity, 0o000)
  for (const command of ['run', 'renew']) {
    const { status, stderr } = run(stateDir, command)
    t.equal(status, 1, stderr)
    t.match(stderr, /^error \[identity-unusable\]: .*EACCES.*chown.* it is whole\n$/)
    t.notMatch(stderr, THROW_AWAY)
  }
})

t.test('a folder in its place', async (t) => {
  const { stateDir, identity } = joined(t)
  rmSync(identity)
  mkdirSync(identity)
  const { status, stderr } = run(stateDir, 'run')
  t.equal(status, 1)
  t.match(stderr, /^error \[identity-unusable\]: .*EISDIR.*restore the file from a backup\n$/)
  t.notMatch(stderr, THROW_AWAY)
})
