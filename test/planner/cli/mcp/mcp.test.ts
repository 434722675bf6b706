/** `fitment mcp` as clients run it: the client of the protocol's own SDK, and one that says whatever comes to mind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import t, { type Test } from 'tap'
import { ROUTES } from '../../../../planner/api/contract/routes.ts'
import { OPERATIONS } from '../../../../planner/api/index.ts'
import { bounded, MOST_CHARACTERS } from '../../../../planner/cli/mcp/bounded.ts'
import { linesOf } from '../../../../planner/cli/mcp/lines.ts'
import { TOOLS } from '../../../../planner/cli/mcp/tools.ts'
import { httpPlanner } from '../../api/http-planner.ts'
import { chosenModel } from '../../conductor/chosen-model.ts'
import { ScriptedDevice, settle } from '../../conductor/scripted-fleet.ts'
import { running } from '../running-planner.ts'

const MAIN = fileURLToPath(new URL('../../../../planner/cli/main.js', import.meta.url))

t.setTimeout(240_000)

function environment(token?: string): Record<string, string> {
  const { FITMENT_TOKEN: _, ...env } = process.env as Record<string, string>
  return token === undefined ? env : { ...env, FITMENT_TOKEN: token }
}

async function connected(t: Test, data: string, token?: string) {
  const client = new Client({ name: 'test', version: '1.0.0' })
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, 'mcp', '--data', data],
    env: environment(token),
    stderr: 'ignore',
  })
  await client.connect(transport)
  t.teardown(() => client.close())
  const call = async (name: string, given: Record<string, unknown> = {}) => {
    const { content, isError = false } = await client.callTool({ name, arguments: given })
    const [first] = content as { type: string; text: string }[]
    return { isError, text: first?.text ?? '' }
  }
  return { client, call }
}

t.test('every tool reads, and nothing else', async (t) => {
  for (const [name, { asks }] of Object.entries(TOOLS)) {
    t.equal(ROUTES[asks].method, 'GET', name)
    t.ok(OPERATIONS[asks], name)
  }
})

t.test('the SDK’s client reads a fleet', async (t) => {
  const { data, planner } = await running(t)
  for (const name of ['press-1', 'press-2', 'press-3'])
    await new ScriptedDevice(name, planner).join()
  await chosenModel(planner.conductor.context, 'raspberry-pi-4')
  await settle(planner)
  const { client, call } = await connected(t, data)
  t.match(client.getServerVersion(), { name: 'fitment' })
  const { tools } = await client.listTools()
  t.same(tools.map(({ name }) => name).sort(), Object.keys(TOOLS).sort())
  for (const { inputSchema, annotations, description } of tools) {
    t.equal(inputSchema.type, 'object')
    t.equal(annotations?.readOnlyHint, true)
    t.ok((description ?? '').length > 20)
  }
  await client.ping()

  const devices = JSON.parse((await call('devices', { limit: 2 })).text)
  t.same(
    devices.items.map(({ id }: { id: string }) => id),
    ['press-1', 'press-2'],
  )
  const rest = JSON.parse((await call('devices', { limit: 2, cursor: devices.next })).text)
  t.same(
    rest.items.map(({ id }: { id: string }) => id),
    ['press-3'],
  )
  t.equal(rest.next, null)
  t.match(JSON.parse((await call('device', { device: 'press-1' })).text), {
    class: 'raspberry-pi-4',
  })
  const { items } = JSON.parse((await call('rollouts', { model: 'motor' })).text)
  t.match(JSON.parse((await call('rollout', { rollout: items[0].id })).text), { model: 'motor' })
  for (const [name, given] of [
    ['planner', {}],
    ['classes', {}],
    ['class', { class: 'raspberry-pi-4' }],
    ['models', {}],
    ['model', { model: 'motor', revision: 1 }],
    ['revisions', { model: 'motor' }],
    ['variants', { model: 'motor' }],
    ['probes', {}],
    ['rollout_devices', { rollout: items[0].id }],
    ['health', { model: 'motor', days: 3 }],
    ['alarms', { all: true }],
    ['waiting_signatures', {}],
    ['audit', { limit: 3 }],
  ] as const) {
    const { text, isError } = await call(name, given)
    t.equal(isError, false, `${name}: ${text.slice(0, 200)}`)
    JSON.parse(text)
  }

  t.match(await call('device', { device: 'absent' }), {
    isError: true,
    text: /^error \[unknown-device\]: [^\n]+$/,
  })
  t.match(await call('devices', { where: 'site=hall-9' }), { isError: true, text: /matches none/ })
  await t.rejects(call('nonsense'), { message: /there is no tool "nonsense"/ })
  await t.rejects(call('device'), { message: /device: / })
  await t.rejects(call('devices', { limit: 'many' }), { message: /limit: / })
  await t.rejects(call('devices', { limit: 1, color: 'red' }), { message: /color/ })
  await t.rejects(call('devices', { where: '((' }), { message: /devices: / })
  t.match(JSON.parse((await call('planner')).text), { fleet: 'default' }, 'and it goes on')
})

t.test('a planner that is away, and comes', async (t) => {
  const { data, api } = await httpPlanner(t)
  const { call } = await connected(t, data)
  t.equal((await call('planner')).isError, false)
  await api.close()
  t.match(await call('planner'), { isError: true, text: /^error \[no-planner\]: [^\n]+$/ })
})

t.test('a viewer’s token, and one that is revoked meanwhile', async (t) => {
  const fleet = await httpPlanner(t)
  const token = await fleet.token('ann', 'viewer')
  const { call } = await connected(t, t.testdir({}), token)
  t.equal((await call('devices')).isError, false)
  t.match(await call('audit'), { isError: true, text: /^error \[forbidden\]: [^\n]+$/ })
  await fleet.ask('DELETE', '/api/v1/operators/ann')
  t.match(await call('devices'), { isError: true, text: /^error \[not-known\]: [^\n]+$/ })
})

t.test('whatever is said is answered in one line, and nothing ends the server', async (t) => {
  const { data } = await running(t)
  const child = spawn(process.execPath, [MAIN, 'mcp', '--data', data], {
    env: environment(),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const said = async (line: string | Buffer) => {
    child.stdin.write(line)
    child.stdin.write('\n')
    return JSON.parse((await lines.next()).value as string)
  }
  const request = (method: string, params?: unknown, id: unknown = 7) =>
    JSON.stringify({ jsonrpc: '2.0', id, method, params })
  for (const [line, id, code] of [
    ['nonsense', null, -32700],
    [Buffer.from([0xff, 0xfe, 0x22]), null, -32700],
    ['[]', null, -32600],
    ['7', null, -32600],
    ['{"jsonrpc":"1.0","id":7,"method":"ping"}', null, -32600],
    [request('ping', undefined, { a: 1 }), null, -32600],
    [request('ping', [1]), null, -32600],
    [`"${'x'.repeat(1_100_000)}"`, null, -32600],
    ['['.repeat(5000), null, -32700],
    [request('resources/list'), 7, -32601],
    [request('__proto__'), 7, -32601],
    [request('tools/call'), 7, -32602],
    [request('tools/call', { name: 'toString' }), 7, -32602],
    [request('tools/call', { name: 'devices', arguments: [] }), 7, -32602],
    [request('tools/call', { name: 'devices', arguments: { cursor: 5 } }), 7, -32602],
    [
      request('tools/call', { name: 'rollout', arguments: { rollout: 'x'.repeat(500) } }),
      7,
      -32602,
    ],
  ] as const) {
    const answer = await said(line)
    t.match(answer, { jsonrpc: '2.0', id, error: { code } }, String(line).slice(0, 80))
    t.notMatch(answer.error.message, /\n|\bat .*\.js:/)
  }
  // Notifications and answers to nothing asked are not answered.
  child.stdin.write(
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}\n',
  )
  child.stdin.write('{"jsonrpc":"2.0","id":9,"result":{}}\n\n\r\n')
  t.match(await said(request('ping', undefined, 'a')), { id: 'a', result: {} })
  t.match(await said(request('initialize', { protocolVersion: '1999-01-01' })), {
    result: { protocolVersion: '2025-06-18' },
  })
  child.stdin.end()
  t.same(await once(child, 'close'), [0, null])
})

t.test('answers are bounded: fewer entries, then shorter ones', async (t) => {
  const { data, planner } = await running(t)
  for (let at = 1; at <= 80; at++) await new ScriptedDevice(`press-${at}`, planner).join()
  const { call } = await connected(t, data)
  const seen = new Set<string>()
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { text } = await call('devices', { limit: 500, ...(cursor && { cursor }) })
    t.ok(text.length <= MOST_CHARACTERS, String(text.length))
    const page = JSON.parse(text)
    for (const { id } of page.items) seen.add(id)
    cursor = page.next
  }
  t.equal(seen.size, 80)

  const large = { rows: Array.from({ length: 5000 }, (_, id) => ({ id, note: 'x'.repeat(3000) })) }
  const told = bounded(large)
  t.ok(told.length <= MOST_CHARACTERS)
  t.match(JSON.parse(told), { shortened: true, answer: { rows: [{ id: 0 }] } })
  const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`field-${at}`, at]))
  t.match(JSON.parse(bounded(wide)), { answer: /ask for less/ })
})

t.test('lines of any cut', async (t) => {
  const text = Buffer.from('one\n\ntwo\r\nthree')
  for (let size = 1; size <= text.length; size++) {
    const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
      text.subarray(at * size, (at + 1) * size),
    )
    const lines: (string | undefined)[] = []
    for await (const line of linesOf(iterable(chunks), 4)) {
      lines.push(line === undefined ? undefined : Buffer.from(line).toString())
    }
    t.same(lines, ['one', 'two', undefined])
  }
})

async function* iterable(chunks: readonly Uint8Array[]) {
  yield* chunks
}
