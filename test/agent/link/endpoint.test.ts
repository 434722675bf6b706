import t from 'tap'
import { parseEndpoint } from '../../../agent/link/endpoint.ts'
import { pauseMs } from '../../../shared/backoff.ts'

const good: readonly (readonly [string, string])[] = [
  ['mqtt://planner.local', 'mqtt://planner.local:1883'],
  ['mqtts://planner.local', 'mqtts://planner.local:8883'],
  ['mqtt://10.0.0.7:1884', 'mqtt://10.0.0.7:1884'],
  ['mqtt://[::1]:1885', 'mqtt://[::1]:1885'],
]

for (const [url, expected] of good) {
  t.test(`${url} is a broker`, (t) => {
    t.equal(parseEndpoint(url).url, expected)
    t.end()
  })
}

for (const url of ['', 'planner', 'http://planner', 'mqtt://', 'ws://planner:9001']) {
  t.test(`"${url}" is none, and the message says what is`, (t) => {
    t.throws(() => parseEndpoint(url), { code: 'usage', message: /mqtt:\/\/host/ })
    t.end()
  })
}

t.test('a name and a password in the URL are used and not shown', (t) => {
  const endpoint = parseEndpoint('mqtt://me:s%3Acret@planner')
  t.match(endpoint, { username: 'me', password: 's:cret', url: 'mqtt://planner:1883' })
  t.end()
})

t.test('files for TLS must be readable', (t) => {
  const files = { ca: '/nowhere/ca.pem' }
  t.throws(() => parseEndpoint('mqtts://planner', files), { code: 'usage', message: /authority/ })
  t.end()
})

t.test('pauses double up to the cap, with full jitter', (t) => {
  const backoff = { baseMs: 1_000, capMs: 60_000 }
  const ceilings = [0, 1, 2, 5, 6, 1_000].map((failures) =>
    pauseMs(failures, { ...backoff, random: () => 1 }),
  )
  t.same(ceilings, [1_000, 2_000, 4_000, 32_000, 60_000, 60_000])
  t.equal(pauseMs(5, { ...backoff, random: () => 0 }), 0)
  t.end()
})
