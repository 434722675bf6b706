import { spawnSync } from 'node:child_process'
import t from 'tap'
import { installedRuntimes } from '../../../shared/runtime/installed.ts'

t.test('asking what is installed loads nothing', async (t) => {
  t.same(
    (await installedRuntimes()).map(({ name }) => name),
    ['litert', 'onnxruntime'],
  )
  const index = new URL('../../../shared/runtime/index.js', import.meta.url).href
  const script = `
    const before = process.memoryUsage().rss
    const { installedRuntimes } = await import(${JSON.stringify(index)})
    const found = await installedRuntimes()
    const maps = (await import('node:fs')).readFileSync('/proc/self/maps', 'utf8')
    console.log(found.length, maps.includes('onnxruntime'), process.memoryUsage().rss - before < 25e6)`
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  t.equal(child.stdout.trim(), '2 false true', child.stderr)
})
