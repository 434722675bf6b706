import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { MAIN } from '../agent-process.ts'
import { stateDirOf } from '../device.ts'
import { fillUp, smallDisk, WITHOUT_SMALL_DISK } from '../small-disk.ts'

function doctor(stateDir: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'doctor', '--state-dir', stateDir, '--json'],
    { encoding: 'utf8' },
  )
  const found = JSON.parse(stdout) as { subject: string; verdict: string; says: string }[]
  return { status, stderr, of: (subject: string) => found.find((one) => one.subject === subject) }
}

t.test('a device that never joined is not ill', async (t) => {
  const { status, stderr, of } = doctor(stateDirOf(t))
  t.equal(status, 0, stderr)
  t.match(of('certificate'), { verdict: 'warning', says: /has not joined/ })
  t.match(of('runtimes'), { verdict: 'good', says: 'litert, onnxruntime' })
})

t.test('what is wrong says what to do', async (t) => {
  const stateDir = stateDirOf(t)
  execFileSync('mkdir', ['-p', join(stateDir, 'identity')])
  writeFileSync(join(stateDir, 'identity', 'identity.json'), 'rust', { mode: 0o644 })
  const { status, of } = doctor(stateDir)
  t.equal(status, 1)
  t.match(of('certificate'), { verdict: 'bad', says: /restore it from a backup/ })
  t.match(of('permissions'), { verdict: 'bad', says: /chmod 600/ })
  const nowhere = doctor(join(stateDir, 'nowhere'))
  t.match(nowhere.of('state'), { verdict: 'bad', says: /no such folder/ })
  t.match(nowhere.of('space'), { verdict: 'good' }, 'of the disk where it would be')
  t.notOk(existsSync(join(stateDir, 'nowhere')), 'a name that may be misspelt is not made')
})

t.test('a full disk', async (t) => {
  const stateDir = smallDisk(t, 4 * 1024 * 1024)
  if (stateDir === undefined) return t.comment(WITHOUT_SMALL_DISK)
  fillUp(join(stateDir, 'filler'))
  t.match(doctor(stateDir).of('space'), { verdict: 'bad', says: /free some/ })
})
