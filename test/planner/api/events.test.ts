import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import t, { type Test } from 'tap'
import { ScriptedDevice } from '../conductor/scripted-fleet.ts'
import { bearer, httpPlanner } from './http-planner.ts'

interface Heard {
  readonly id: string | undefined
  readonly kind: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A reader of the stream, as a browser is one. */
async function listen(
  t: Test,
  place: { readonly host: string; readonly port: number },
  headers: Readonly<Record<string, string>>,
) {
  const sent = request({ ...place, path: '/api/v1/events', agent: false, headers })
  sent.on('error', () => {})
  t.teardown(() => sent.destroy())
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const heard: Heard[] = []
  let text = ''
  response.setEncoding('utf8')
  response.on('error', () => {})
  response.on('data', (chunk: string) => {
    const blocks = `${text}${chunk}`.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      if (fields.event === undefined) continue
      heard.push({ id: fields.id, kind: fields.event, data: JSON.parse(fields.data ?? '{}') })
    }
  })
  const until = async (holds: (heard: readonly Heard[]) => boolean): Promise<readonly Heard[]> => {
    while (!holds(heard)) await new Promise((resolve) => setTimeout(resolve, 20))
    return heard
  }
  return { response, heard, until }
}

const tells =
  (kind: string, item: object) =>
  (heard: readonly Heard[]): boolean =>
    heard.some(
      (one) =>
        one.kind === kind && JSON.stringify(one.data).includes(JSON.stringify(item).slice(1, -1)),
    )

t.test('what moves is told, and who was away hears what was missed', async (t) => {
  const { planner, remote, token, ask } = await httpPlanner(t)
  const headers = bearer(await token('vera', 'viewer'))
  const first = await listen(t, remote, headers)
  t.match(first.response.headers, { 'content-type': 'text/event-stream' })
  await new ScriptedDevice('d0', planner).join()
  const heard = await first.until(tells('devices', { device: 'd0' }))
  const last = heard.findLast(({ id }) => id !== undefined)?.id ?? ''
  t.match(last, /^[0-9a-f]{8}-\d+$/)
  first.response.destroy()
  await ask('PATCH', '/api/v1/devices', { body: { devices: ['d0'], labels: { site: 'north' } } })
  await new ScriptedDevice('d1', planner).join()
  const second = await listen(t, remote, { ...headers, 'last-event-id': last })
  await second.until(tells('devices', { device: 'd1' }))
  t.notOk(second.heard.some(({ kind }) => kind === 'reset'))
  const lost = await listen(t, remote, { ...headers, 'last-event-id': '00000000-7' })
  t.match(await lost.until((all) => all.length > 0), [{ kind: 'reset' }])
})

t.test('of ten thousand that come at once a hundred are named', async (t) => {
  const { planner, remote, token } = await httpPlanner(t)
  const { until } = await listen(t, remote, bearer(await token('vera', 'viewer')))
  for (let index = 0; index < 10_000; index += 1)
    planner.conductor.context.agenda.device(`x${index}`)
  const heard = await until((all) => all.some(({ data }) => data.more === true))
  const batch = heard.find(({ data }) => data.more === true)
  const items = batch?.data.items
  t.equal(Array.isArray(items) && items.length, 100)
})

t.test('a planner that leaves says so; nobody listens without a token', async (t) => {
  const { api, remote, token, askRemote } = await httpPlanner(t)
  t.match(await askRemote('GET', '/api/v1/events'), { status: 401 })
  const { until } = await listen(t, remote, bearer(await token('vera', 'viewer')))
  await api.close()
  t.match(await until((all) => all.length > 0), [{ kind: 'bye', data: { reason: 'leaving' } }])
})

t.test('a reader that does not read is let go of, and nobody else notices', async (t) => {
  const { planner, remote, token, ask } = await httpPlanner(t)
  const headers = bearer(await token('vera', 'viewer'))
  const lazy = await listen(t, remote, headers)
  lazy.response.pause()
  const good = await listen(t, remote, headers)
  const readers = async () =>
    /^fitment_api_event_readers (\d+)$/m.exec((await ask('GET', '/metrics')).text)?.[1]
  const { progress } = planner.conductor.context
  const long = 'x'.repeat(40_000)
  for (let round = 0; (await readers()) !== '1'; round += 1) {
    if (round > 200) throw new Error('it is kept for good')
    for (let index = 0; index < 50; index += 1) {
      progress.emit({ model: `m${index}`, what: `${round} ${long}`, done: 0, total: 0 })
    }
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
  const before = good.heard.length
  progress.emit({ model: 'last', what: 'on', done: 0, total: 0 })
  await good.until((all) => all.slice(before).some(({ kind }) => kind === 'progress'))
})
