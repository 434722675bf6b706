import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { devices, openDatabase, reports } from '../../../planner/storage/index.ts'

const storage = new URL('../../../planner/storage/index.js', import.meta.url).href
const sample = new URL('./sample.js', import.meta.url).href

/** Opens the database, writes without end, and says each report once it is stored. */
const writer = `
  import { devices, openDatabase, reports } from ${JSON.stringify(storage)}
  import { birth } from ${JSON.stringify(sample)}
  const { db } = await openDatabase({ data: process.argv[2] })
  await devices.recordBirth(db, 'd1', birth(1), new Date())
  for (let i = 0; ; i += 1) {
    const report = { v: 1, id: 'r' + i, at: new Date().toISOString(), kind: 'ack', order: 'o' }
    await reports.storeReport(db, 'd1', report, new Date())
    process.stdout.write(report.id + '\\n')
  }
`

t.test(
  'killed in the middle of writing: nothing said to be stored is lost, and nothing blocks the next',
  async (t) => {
    const data = t.testdir({})
    const script = join(data, 'writer.mjs')
    writeFileSync(script, writer)
    for (let round = 0; round < 3; round += 1) {
      const said: string[] = []
      const child = spawn(process.execPath, [pathToFileURL(script).pathname, data], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let text = ''
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (chunk) => {
          text += chunk
          if (text.split('\n').length > 20) resolve()
        })
      })
      await t.rejects(openDatabase({ data }), {
        code: 'in-use',
        message: new RegExp(`another planner \\(process ${child.pid}\\)`),
      })
      child.kill('SIGKILL')
      await once(child, 'close')
      said.push(...text.split('\n').slice(0, -1))
      const { db, close } = await openDatabase({ data })
      const stored = (await reports.unhandledReports(db, 1e6)).map(({ report }) => report.id)
      t.ok(said.length >= 20)
      t.same(
        said.filter((id) => !stored.includes(id)),
        [],
      )
      t.equal((await devices.listDevices(db)).length, 1)
      await db.deleteFrom('reports').execute()
      await close()
    }
  },
)
