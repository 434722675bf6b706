import t from 'tap'
import { operationNames } from '../../../planner/api/contract/contract.ts'
import { API, ROUTES } from '../../../planner/api/contract/routes.ts'
import { connectPlanner } from '../../../planner/api/index.ts'
import { documentOf } from '../../../planner/api/openapi/document.ts'
import { printPasteable } from '../../../shared/identity/pasteable.ts'
import { ScriptedDevice } from '../conductor/scripted-fleet.ts'
import { bearer, httpPlanner } from './http-planner.ts'

t.test(
  'every operation is in the document, and every route of the document is served',
  async (t) => {
    const { paths } = documentOf('0.1.0')
    for (const name of operationNames) {
      const { method, path } = ROUTES[name]
      t.equal(paths[`${API}${path}`]?.[method.toLowerCase()]?.operationId, name)
    }
    const { ask } = await httpPlanner(t)
    for (const [path, methods] of Object.entries(paths)) {
      const filled = path.replace(/\{\w+\}/g, 'nothing')
      for (const method of Object.keys(methods).filter(() => !path.endsWith('/events'))) {
        const { status, body } = await ask(method.toUpperCase(), filled, { raw: '' })
        const isThere = status !== 405 && (body as { code?: string })?.code !== 'no-such-path'
        t.ok(isThere, `${method} ${filled}: ${status}`)
      }
    }
  },
)

t.test('no name that a thing may have hides a route', (t) => {
  const paths = [...new Set(operationNames.map((name) => ROUTES[name].path))]
  for (const path of paths) {
    const like = new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)
    t.same(
      paths.filter((other) => other !== path && like.test(other)),
      [],
      path,
    )
  }
  t.end()
})

t.test('what cannot be read, found, done or used has its own status and one shape', async (t) => {
  const { ask } = await httpPlanner(t)
  const json = { 'content-type': 'application/json' }
  const cases: [string, string, object, number, string, RegExp][] = [
    ['GET', '/', {}, 404, 'no-such-path', /the planner has no GET \//],
    ['GET', '/api/v1/nothing', {}, 404, 'no-such-path', /of one version/],
    ['GET', '/api/v1/devices/%zz', {}, 400, 'malformed', /% stands before/],
    ['DELETE', '/api/v1/devices', {}, 405, 'no-such-method', /only GET, PATCH/],
    ['PUT', '/api/v1/session', {}, 405, 'no-such-method', /only GET, POST, DELETE/],
    ['GET', '/api/v1/devices/nobody', {}, 404, 'unknown-device', /no device "nobody"/],
    ['GET', '/api/v1/models/motor/rollout', {}, 404, 'unknown-model', /models add/],
    ['GET', '/api/v1/rollouts/x', {}, 404, 'unknown-rollout', /no rollout of this id/],
    ['GET', '/api/v1/devices?limit=0', {}, 422, 'usage', /limit/],
    ['GET', '/api/v1/devices?colour=red', {}, 422, 'usage', /colour: no parameter here/],
    ['GET', '/api/v1/devices?q=a&q=b', {}, 422, 'usage', /q: given twice/],
    ['GET', '/api/v1/devices?where=state%3Dasleep', {}, 422, 'usage', /online, offline/],
    ['GET', '/api/v1/devices?cursor=x', {}, 400, 'malformed', /cursor is none of this list/],
    ['GET', '/api/v1/devices?revision=1', {}, 422, 'usage', /name the model too/],
    [
      'POST',
      '/api/v1/models/motor/plan',
      { raw: 'x', headers: json },
      400,
      'malformed',
      /not JSON/,
    ],
    ['POST', '/api/v1/models/motor/plan', { raw: '[]', headers: json }, 422, 'usage', /object/],
    ['POST', '/api/v1/models/motor/plan', { raw: '{}' }, 415, 'not-json', /application\/json/],
    [
      'POST',
      '/api/v1/models/..x/plan',
      { body: { dryRun: 1 } },
      422,
      'usage',
      /plan: model.*dryRun/,
    ],
    [
      'POST',
      '/api/v1/models/motor/plan',
      { raw: JSON.stringify({ model: 'x'.repeat(2_000_000) }), headers: json },
      413,
      'too-long',
      /1 MiB/,
    ],
    ['POST', '/api/v1/models/motor/rollback', { body: { wait: false } }, 404, 'unknown-model', /./],
    ['DELETE', '/api/v1/windows/night', {}, 409, 'nothing-to-do', /no window/],
    ['POST', '/api/v1/invitations', { body: { device: 'd1', hours: 1 } }, 409, 'no-tls', /./],
    ['POST', '/api/v1/artifacts', { raw: '' }, 422, 'unusable', /empty/],
  ]
  for (const [method, path, asked, status, code, detail] of cases) {
    const answered = await ask(method, path, asked)
    t.match(answered, { status, body: { status, code, detail } }, `${method} ${path}`)
    t.match(answered.headers, {
      'content-type': 'application/problem+json',
      'x-frame-options': 'DENY',
    })
    t.notMatch(answered.text, /\n|node_modules|at \w+ \(/, 'one line, and no stack')
  }
  t.match((await ask('PATCH', '/api/v1/keys')).headers, { allow: 'GET' })
  const fields = await ask('POST', '/api/v1/models/motor/plan', { body: { dryRun: 'yes' } })
  t.match(fields.body, { errors: [{ path: 'dryRun' }, { path: 'again' }] }, 'field by field')
})

t.test('devices in pages, by class, label, state, health and what they run', async (t) => {
  const { ask, planner } = await httpPlanner(t)
  for (const index of [0, 1, 2, 3, 4]) {
    const labels = { site: index < 2 ? 'north' : 'south' }
    await new ScriptedDevice(`d${index}`, planner).join({ labels })
  }
  const d4 = new ScriptedDevice('d4', planner)
  await d4.join({ labels: { site: 'south' } })
  await planner.conductor.store.recordDeath('d0', { start: 'start-1', connection: 1 })
  const names = async (query: string) => {
    const { body } = await ask('GET', `/api/v1/devices?${query}`)
    const { items, next, total } = body as { items: { id: string }[]; next: string; total: number }
    return { ids: items.map(({ id }) => id).join(' '), next, total }
  }
  const first = await names('limit=2')
  t.match(first, { ids: 'd0 d1', total: 5 })
  const second = await names(`limit=2&cursor=${first.next}`)
  t.match(second, { ids: 'd2 d3', total: 5 })
  t.same(await names(`limit=2&cursor=${second.next}`), { ids: 'd4', next: null, total: 5 })
  await ask('PATCH', '/api/v1/devices', { body: { devices: ['d3'], labels: { site: 'north' } } })
  const cases: [string, string][] = [
    ['where=site%3Dnorth', 'd0 d1 d3'],
    ['where=site!%3Dnorth', 'd2 d4'],
    ['where=site%20in%20(south)', 'd2 d4'],
    ['where=site,state%3Donline', 'd1 d2 d3 d4'],
    ['where=!line,device%20in%20(d1,d2)', 'd1 d2'],
    ['where=runtime%3Dlitert,site%3Dsouth', 'd2 d4'],
    ['where=class%3Draspberry-pi-4,board!%3Dx&limit=2', 'd0 d1'],
    ['state=offline', 'd0'],
    ['q=D3', 'd3'],
    ['q=%25', ''],
    ['class=raspberry-pi-4&state=online', 'd1 d2 d3 d4'],
    ['class=rock-5b', ''],
    ['health=alarm', ''],
    ['health=good', 'd0 d1 d2 d3 d4'],
  ]
  for (const [query, ids] of cases) t.equal((await names(query)).ids, ids, query)
  t.match(await ask('GET', '/api/v1/devices?where=site%3Dwest'), {
    status: 422,
    body: { code: 'matches-nobody', detail: /of site there are north, south/ },
  })
  await ask('POST', '/api/v1/devices/d1/retire', { body: { reason: 'old', undo: false } })
  t.equal((await names('')).ids, 'd0 d2 d3 d4')
  t.equal((await names('all=true&where=site%3Dnorth')).ids, 'd0 d1 d3')
})

t.test('who has an answer already is told that nothing changed', async (t) => {
  const { ask, planner } = await httpPlanner(t)
  const first = await ask('GET', '/api/v1/devices')
  const etag = String(first.headers.etag)
  const again = await ask('GET', '/api/v1/devices', { headers: { 'if-none-match': `W/${etag}` } })
  t.match(again, { status: 304, text: '' })
  await new ScriptedDevice('d0', planner).join()
  const changed = await ask('GET', '/api/v1/devices', { headers: { 'if-none-match': etag } })
  t.equal(changed.status, 200)
  t.not(changed.headers.etag, etag)
  t.match(await ask('HEAD', '/api/v1/devices'), { status: 200, text: '' })
})

t.test('what is asked twice with one key is done once', async (t) => {
  const { ask } = await httpPlanner(t)
  const add = (key: string, name: string) =>
    ask('POST', '/api/v1/webhooks', {
      body: { name, url: 'https://example.org/hook' },
      headers: { 'idempotency-key': key },
    })
  const label = (key: string, body: object) =>
    ask('POST', '/api/v1/keys/rotation', { body, headers: { 'idempotency-key': key } })
  t.equal((await add('a', 'one')).status, 201)
  t.match(
    await add('a', 'one'),
    { status: 409, body: { code: 'already-done' } },
    'a secret is told once',
  )
  t.match(await add('a', 'two'), { status: 422, body: { code: 'key-reused' } })
  t.match(await add('b', 'one'), { status: 409, body: { code: 'webhook-exists' } })
  t.match(
    await add('b', 'one'),
    { status: 409, body: { code: 'webhook-exists' } },
    'failures are tried again',
  )
  t.match(await add('x'.repeat(200), 'one'), { status: 422, body: { code: 'usage' } })
  const same = { holder: 'release', add: [], remove: [], threshold: null }
  const first = await label('c', same)
  t.equal((await label('c', same)).text, first.text)
})

t.test('a token is asked for from elsewhere, and its role is enough or not', async (t) => {
  const { askRemote, token, planner, url } = await httpPlanner(t)
  t.match(await askRemote('GET', '/api/v1/devices'), {
    status: 401,
    body: { code: 'not-known' },
    headers: { 'www-authenticate': /Bearer/ },
  })
  const viewer = await token('vera', 'viewer', 3_600_000)
  t.equal((await askRemote('GET', '/api/v1/devices', { headers: bearer(viewer) })).status, 200)
  const whole = { authorization: `Bearer ${viewer}` }
  t.equal((await askRemote('GET', '/api/v1/devices', { headers: whole })).status, 200)
  t.match(await askRemote('GET', '/api/v1/audit', { headers: bearer(viewer) }), {
    status: 403,
    body: { code: 'forbidden', detail: /audit.list needs the role admin, and operator:vera/ },
  })
  t.match(await askRemote('POST', '/api/v1/artifacts', { raw: 'x', headers: bearer(viewer) }), {
    status: 403,
  })
  for (const open of ['/api/v1/openapi.json', '/api/v1/docs']) {
    t.equal((await askRemote('GET', open)).status, 200)
  }

  t.match(await askRemote('POST', '/api/v1/session', { body: { token: 'nonsense' } }), {
    status: 401,
  })
  const opened = await askRemote('POST', '/api/v1/session', { body: { token: viewer } })
  t.match(opened, { status: 201, body: { actor: 'operator:vera', role: 'viewer' } })
  const [cookie = ''] = [opened.headers['set-cookie']].flat()
  t.match(cookie, /^fitment-session=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=3600$/)
  const session = { cookie: cookie.slice(0, cookie.indexOf(';')) }
  t.match(await askRemote('GET', '/api/v1/session', { headers: session }), {
    body: { name: 'vera' },
  })
  planner.clock.now = new Date(planner.clock.now.getTime() + 3_600_000)
  t.match(await askRemote('GET', '/api/v1/session', { headers: session }), { status: 401 })
  t.ok(url.port)
})

t.test(
  'the command line asks a plain planner of this machine by a token, and no other',
  async (t) => {
    const { data, token } = await httpPlanner(t)
    const client = connectPlanner(data, await token('ann', 'viewer'))
    t.match(await client.call('planner.info', {}), { fleet: 'default' })
    t.same(await client.call('devices.list', {}), [])
    const bytes = Buffer.concat([Buffer.alloc(64, 1), Buffer.from('http://planner.example:8443')])
    t.throws(() => connectPlanner(data, printPasteable('fitop1', bytes)), {
      code: 'malformed-token',
    })
  },
)

t.test(
  'a session changes things only for pages of this planner, and ends with its token',
  async (t) => {
    const { ask, askRemote, token, url } = await httpPlanner(t)
    const opened = await askRemote('POST', '/api/v1/session', {
      body: { token: await token('ann', 'admin') },
      headers: { origin: url.origin },
    })
    const cookie = String(opened.headers['set-cookie']).split(';')[0] ?? ''
    const drop = (headers: Readonly<Record<string, string>>) =>
      askRemote('DELETE', '/api/v1/webhooks/none', { headers: { cookie, ...headers } })
    for (const [headers, status] of [
      [{}, 403],
      [{ origin: 'https://evil.example' }, 403],
      [{ origin: 'null' }, 403],
      [{ 'sec-fetch-site': 'same-site', origin: url.origin }, 403],
      [{ 'sec-fetch-site': 'cross-site' }, 403],
      [{ origin: url.origin }, 404],
      [{ 'sec-fetch-site': 'same-origin' }, 404],
    ] as const) {
      t.equal((await drop(headers)).status, status, JSON.stringify(headers))
    }
    const foreign = await askRemote('POST', '/api/v1/session', {
      body: { token: await token('bob', 'viewer') },
      headers: { origin: 'https://evil.example' },
    })
    t.equal(foreign.status, 403, 'nobody is logged in by another site')
    await ask('DELETE', '/api/v1/operators/ann')
    t.match(await askRemote('GET', '/api/v1/session', { headers: { cookie } }), {
      status: 401,
      body: { code: 'not-known', detail: /log in with a token again/ },
    })
  },
)

t.test('a session that is left is over', async (t) => {
  const { askRemote, token, url } = await httpPlanner(t)
  const { headers } = await askRemote('POST', '/api/v1/session', {
    body: { token: await token('ann', 'admin') },
  })
  const cookie = String(headers['set-cookie']).split(';')[0] ?? ''
  const left = await askRemote('DELETE', '/api/v1/session', {
    headers: { cookie, origin: url.origin },
  })
  t.match(left, { status: 204, headers: { 'set-cookie': [/^fitment-session=; .*Max-Age=0/] } })
  t.equal((await askRemote('GET', '/api/v1/session', { headers: { cookie } })).status, 401)
})

t.test('metrics are nobody’s from elsewhere unless a setting says so', async (t) => {
  const { ask, askRemote, planner } = await httpPlanner(t)
  await new ScriptedDevice('d0', planner).join()
  t.match(await askRemote('GET', '/metrics'), { status: 404 })
  const { text } = await ask('GET', '/metrics')
  t.match(text, /^fitment_devices\{class="raspberry-pi-4",state="online"\} 1$/m)
  t.match(text, /^fitment_api_requests_total\{operation="metrics",status="404"\} 1$/m)
  t.notMatch(text, /d0/, 'no device is in a label')
  const guarded = await httpPlanner(t, { metricsFor: 'token' })
  t.match(await guarded.askRemote('GET', '/metrics'), { status: 401 })
  const headers = bearer(await guarded.token('prometheus', 'viewer'))
  t.match(await guarded.askRemote('GET', '/metrics', { headers }), { status: 200 })
  const open = await httpPlanner(t, { metricsFor: 'everybody' })
  t.match(await open.askRemote('GET', '/metrics'), { status: 200 })
})

t.test('pages get what is no API, with the headers that all have', async (t) => {
  const { askRemote } = await httpPlanner(t, {
    pages: ({ url }, response) => {
      response.end(`page ${url}`)
    },
  })
  t.match(await askRemote('GET', '/fleet?x=1'), {
    status: 200,
    text: 'page /fleet?x=1',
    headers: { 'x-content-type-options': 'nosniff' },
  })
  t.equal((await askRemote('POST', '/fleet')).status, 404)
  t.equal((await askRemote('GET', '/api/v2/devices')).status, 404)
})

t.test('the page that shows the document runs nothing and loads nothing', async (t) => {
  const { ask } = await httpPlanner(t)
  const { text, headers } = await ask('GET', '/api/v1/docs')
  t.match(headers, { 'content-security-policy': /^default-src 'none'; style-src 'sha256-/ })
  t.notMatch(text, /<script|https?:\/\/(?!json-schema)/)
  for (const name of operationNames) t.match(text, `id="${name}"`)
})
