/** The forms of an answer, as a running planner's commands print them. */
import t from 'tap'
import { ScriptedDevice } from '../../conductor/scripted-fleet.ts'
import { fitment } from '../run-fitment.ts'
import { running } from '../running-planner.ts'

t.test('tables that fit, all there is, JSON, CSV', async (t) => {
  const { data, planner } = await running(t)
  for (const name of ['press-9', 'press-10', 'press-1'])
    await new ScriptedDevice(name, planner).join()
  const devices = (...argv: string[]) => fitment('devices', ...argv, '--data', data)

  const wide = await devices('-o', 'wide')
  t.match(wide.out, /^DEVICE +STATE +CLASS +BOARD .* HEALTH$/m)
  process.env.COLUMNS = '80'
  t.teardown(() => {
    delete process.env.COLUMNS
  })
  const narrow = await devices()
  t.ok(narrow.out.split('\n').every((line) => line.length <= 80))
  t.match(narrow.err, /^\(left out: AGENT, .*: --format wide shows all\)\n$/)
  t.equal((await devices('-o', 'wide')).out, wide.out)

  const json = await devices('--json')
  t.equal((await devices('-o', 'json')).out, json.out)
  t.equal((await devices('--format', 'json', '--json')).out, json.out)

  const csv = await devices('-o', 'csv', '--sort', '-DEVICE')
  t.match(csv.out, /^DEVICE,STATE,.*\r\npress-10,online,.*\r\npress-9,.*\r\npress-1,.*\r\n$/)
  t.match(csv.out, /,1073741824,/, 'sizes are bytes')
  const record = await devices('press-1', '-o', 'csv')
  t.match(record.out, /^id,online,.*\r\npress-1,true,/)

  const sorted = JSON.parse((await devices('--json', '--sort', '-DEVICE')).out)
  t.same(
    sorted.map(({ id }: { id: string }) => id),
    ['press-10', 'press-9', 'press-1'],
  )
  t.match((await devices('--name', '-1')).out, /press-10[\s\S]*press-1|press-1[\s\S]*press-10/)
  t.notMatch((await devices('--name', '-1')).out, /press-9/)
  t.match(await devices('--state', 'offline'), { code: 0, out: 'no device is like that\n' })
  t.equal((await devices('--state', 'offline', '-o', 'csv')).out, '')
})

t.test('what contradicts itself, or is none', async (t) => {
  const rows: [string[], RegExp][] = [
    [['devices', '-o', 'xml'], /--format: "xml" is none of wide, json, csv/],
    [['devices', '-o', 'csv', '--json'], /say different things/],
    [['devices', '--watch', 'often'], /--watch: "often" is no number from 0.2/],
    [['devices', '--watch', '0'], /--watch: "0" is no number/],
    [['devices', '--watch', '-o', 'csv'], /CSV is one table/],
    [['doctor', '--watch'], /unknown option/],
    [['devices', 'invite', '--sort', 'A'], /unknown option/],
  ]
  for (const [argv, err] of rows) {
    const told = await fitment(...argv, '--data', t.testdir({}))
    t.match(told, { code: 2, out: '', err })
    t.match(told.err, /^error \[usage\]: [^\n]+\n$/)
  }
})

t.test('-o stays a file where a command writes one', async (t) => {
  const { out } = await fitment('quantize', '--help')
  t.match(out, /-o, --output <file>/)
  t.match(out, /^ {2}--format <form>/m)
})

t.test('no colours, whatever the terminal', async (t) => {
  for (const argv of [['--help'], ['devices', '--help'], ['help', 'environment']]) {
    t.notOk((await fitment(...argv)).out.includes('\u001b'))
  }
})
