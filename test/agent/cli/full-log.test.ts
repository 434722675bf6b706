import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'

const LOG = new URL('../../../agent/cli/create-log.js', import.meta.url).href

t.test('a log whose reader has stopped reading stops nobody', async (t) => {
  // Far more than a pipe holds, and nobody takes any of it.
  const script = `
    const { createLog } = await import(${JSON.stringify(LOG)})
    const log = createLog('info', process.stderr)
    for (let i = 0; i < 20_000; i++) log.info({ i }, 'x'.repeat(100))
    process.stdout.write('done')
    process.exit(0)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  t.equal(said.toString(), 'done')
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 0)
})

t.test('a log that is read is whole', async (t) => {
  const script = `
    const { createLog } = await import(${JSON.stringify(LOG)})
    const log = createLog('info', process.stderr)
    for (let i = 0; i < 50; i++) log.info({ i }, 'line')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  child.stderr.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  t.equal(text.trim().split('\n').length, 50)
})
