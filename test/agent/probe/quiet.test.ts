import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { awaitQuiet } from '../../../agent/probe/quiet.ts'

/** A device whose processor counts `busy` ticks more at each look. */
function device(dir: string, busy: number) {
  let ticks = 0
  const look = () => {
    ticks += busy
    writeFileSync(join(dir, 'proc/stat'), `cpu  ${ticks} 0 0 ${1000 + ticks} 0 0 0 0\n`)
  }
  look()
  return look
}

t.test('a device at rest is not waited for, and one that tells nothing neither', async (t) => {
  const root = t.testdir({
    resting: { proc: { stat: 'cpu  100 0 0 1000 0 0 0 0\n' } },
    silent: {},
  })
  t.equal(await awaitQuiet(join(root, 'resting'), 60_000), true)
  t.equal(await awaitQuiet(join(root, 'silent'), 60_000), true)
})

t.test('a busy device is waited for as long as was said', async (t) => {
  const dir = t.testdir({ proc: { stat: '' } })
  const busy = setInterval(device(dir, 30), 20)
  try {
    t.equal(await awaitQuiet(dir, 300), false)
    t.equal(await awaitQuiet(dir, 0), false, 'nobody asked to wait')
    const abort = new AbortController()
    const waiting = awaitQuiet(dir, 60_000, abort.signal)
    abort.abort()
    await t.rejects(waiting, { name: 'AbortError' })
  } finally {
    clearInterval(busy)
  }
})
