import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { FITMENT } from '../../stories/command-line.ts'

/** Who reads `ready` and stops the process may be faster than its next line of code. */
const STOP_AS_IT_SAYS_READY = `
const write = process.stdout.write
process.stdout.write = function (text, ...rest) {
  const wrote = write.call(this, text, ...rest)
  if (String(text).includes('"ready"')) process.kill(process.pid, 'SIGTERM')
  return wrote
}`

const SERVICES = {
  serve: ['--insecure-loopback', '--port', '0'],
  broker: ['--port', '0'],
}

for (const [command, flags] of Object.entries(SERVICES)) {
  t.test(`${command}: stopped as it says that it is ready, it leaves in order`, (t) => {
    const preload = `data:text/javascript,${encodeURIComponent(STOP_AS_IT_SAYS_READY)}`
    const data = join(t.testdir(), 'fleet')
    const { status, signal, stdout } = spawnSync(
      process.execPath,
      ['--import', preload, FITMENT, command, ...flags, '--data', data, '--json'],
      { encoding: 'utf8', timeout: 60_000 },
    )
    t.match(JSON.parse(stdout), { ready: true })
    t.same({ status, signal }, { status: 0, signal: null })
    t.end()
  })
}
