import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createFileRegistry,
  fromBinary,
  fromJson,
  type JsonValue,
  toJson,
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { events, models, probes, variants } from '../../../planner/storage/index.ts'
import { collectorOf, startTraces } from '../../../planner/traces/index.ts'
import { newId } from '../../../shared/ids.ts'
import { chosenModel } from '../conductor/chosen-model.ts'
import { planner, ScriptedDevice, settle } from '../conductor/scripted-fleet.ts'

const CLASS = 'raspberry-pi-4'
const FAILED = { code: 'no-answer', message: 'it went away' }

/** opentelemetry-proto 1.45.2 (Apache-2.0): `collector/trace/v1/trace_service.proto` and what it imports, compiled. */
const OFFICIAL = createFileRegistry(
  fromBinary(
    FileDescriptorSetSchema,
    readFileSync(new URL('../../../../test/fixtures/otlp/trace-service.binpb', import.meta.url)),
  ),
)
const REQUEST = OFFICIAL.getMessage(
  'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
)

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status: { readonly code?: string }
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[]
}

/** A collector that takes what the official definitions describe, and nothing else. */
async function receiver(t: Test) {
  const spans: Span[] = []
  const said: { faults: number[]; headers: unknown[]; bad: string[] } = {
    faults: [],
    headers: [],
    bad: [],
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const fault = said.faults.shift()
    if (fault === 0) return
    if (fault !== undefined) return void response.writeHead(fault).end()
    said.headers.push([request.url, request.headers['x-tenant']])
    try {
      if (REQUEST === undefined) throw new Error('no definition')
      const json = JSON.parse(Buffer.concat(chunks).toString()) as JsonValue
      const read = toJson(REQUEST, fromJson(REQUEST, json, { ignoreUnknownFields: false }))
      const { resourceSpans = [] } = read as {
        resourceSpans?: { scopeSpans: { spans: Span[] }[] }[]
      }
      for (const { scopeSpans } of resourceSpans)
        spans.push(...scopeSpans.flatMap((one) => one.spans))
    } catch (error) {
      said.bad.push(String(error))
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { spans, said, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** A model of two builds and two probes, one of which failed, rolled out to two devices. */
async function rolledOut(t: Test) {
  const opened = await planner(t)
  const { context } = opened.conductor
  const { db } = context
  const devices = [
    await new ScriptedDevice('d0', opened).join(),
    await new ScriptedDevice('d1', opened).join(),
  ]
  const model = await chosenModel(context, CLASS)
  const plan = { runtime: 'litert', kept: true, reason: '' } as const
  for (const [key, scheme] of [
    ['small-a', 'static-w8a8'],
    ['large-a', 'float16'],
  ] as const)
    await variants.addCandidate(db, model.id, CLASS, { ...plan, variant: key, scheme })
  const now = opened.clock.now.toISOString()
  for (const device of ['d0', 'd1']) {
    const id = newId()
    const of = { model: model.id, class: CLASS, round: 1, variant: 'small-a', rival: null }
    await probes.addProbe(db, { id, ...of, device, orderedAt: now, deadline: now })
    if (device === 'd1')
      await probes.finishProbe(db, id, { state: 'failed', error: FAILED }, opened.clock.now)
  }
  await settle(opened)
  for (const device of devices) {
    opened.clock.now = new Date(opened.clock.now.getTime() + 60_000)
    const [order] = await device.take('assign')
    if (order) await device.install(order, 'downloading', 'active')
    await settle(opened)
  }
  return { opened, context, model: (await models.modelById(db, model.id)) ?? model }
}

const attribute = ({ attributes }: Span, key: string) =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0]

t.test('a plan and a rollout are a trace each, by the official definitions', async (t) => {
  const { context } = await rolledOut(t)
  const { spans, said, url } = await receiver(t)
  // Hangs once, then is in trouble: what is due waits for it.
  said.faults.push(503, 429)
  for (const reader of ['traces.plans', 'traces.rollouts'])
    await events.setPlace(context.db, reader, 0)
  const heard: string[] = []
  const log = pino(
    { level: 'warn' },
    { write: (line: string) => void heard.push(JSON.parse(line).msg) },
  )
  const collector = collectorOf(url, 'x-tenant=plant%207')
  const traces = startTraces({ context, fleet: 'lab', collector, log })
  t.teardown(() => traces.close())
  while (!spans.some(({ name }) => name === 'rollout motor'))
    await new Promise((done) => setTimeout(done, 50))
  await traces.close()

  t.same(said.bad, [])
  t.same(said.headers[0], ['/v1/traces', 'plant 7'])
  t.same(heard, ['traces wait: the collector takes none'], 'said once')
  const plan = spans.find(({ name }) => name === 'plan motor') as Span
  const rollout = spans.find(({ name }) => name === 'rollout motor') as Span
  const below = ({ traceId }: Span) => spans.filter((span) => span.traceId === traceId)
  t.same(
    below(plan).map(({ name }) => name),
    ['plan motor', 'build', 'build', 'probe', 'probe'],
  )
  t.same(
    below(rollout).map(({ name }) => name),
    ['rollout motor', 'wave 1', 'wave 2', 'install', 'install'],
  )
  t.not(plan.traceId, rollout.traceId)
  t.equal(rollout.links?.[0]?.traceId, plan.traceId)
  t.equal(rollout.links?.[0]?.spanId, plan.spanId)
  for (const span of spans) {
    t.equal(span.traceId.length, 32)
    const parent = spans.find(({ spanId }) => spanId === span.parentSpanId)
    t.equal(parent === undefined, span === plan || span === rollout, `${span.name} has its parent`)
    t.ok(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano))
    t.equal(attribute(span, 'fitment.model'), 'motor')
    t.equal(attribute(span, 'fitment.class'), CLASS)
  }
  const broken = spans.filter(({ status }) => status.code === 'STATUS_CODE_ERROR')
  t.same(
    broken.map(({ name }) => name),
    ['probe'],
  )
  t.equal(attribute(broken[0] as Span, 'fitment.device'), 'd1')
  t.equal(attribute(rollout, 'fitment.state'), 'done')
  const waves = spans.filter(({ name }) => name.startsWith('wave'))
  t.equal(waves[0]?.endTimeUnixNano, waves[1]?.startTimeUnixNano)

  const before = spans.length
  const again = startTraces({ context, fleet: 'lab', collector, log })
  await new Promise((done) => setTimeout(done, 300))
  await again.close()
  t.equal(spans.length, before, 'what was told is not told again')
})

t.test('a collector that hangs holds up nobody', async (t) => {
  const { context, opened } = await rolledOut(t)
  const { said, url } = await receiver(t)
  said.faults.push(0)
  for (const reader of ['traces.plans', 'traces.rollouts'])
    await events.setPlace(context.db, reader, 0)
  const log = pino({ level: 'silent' })
  const traces = startTraces({ context, fleet: 'lab', collector: collectorOf(url), log })
  await new Promise((done) => setTimeout(done, 200))
  await new ScriptedDevice('d2', opened).join()
  t.ok(
    await context.db.selectFrom('devices').select('id').where('id', '=', 'd2').executeTakeFirst(),
  )
  await traces.close()
  t.equal(await events.placeOf(context.db, 'traces.plans'), 0, 'and it is told later')
})

t.test('addresses', async (t) => {
  t.equal(collectorOf('http://c:4318').url, 'http://c:4318/v1/traces')
  t.equal(collectorOf('https://c/otlp/').url, 'https://c/otlp/v1/traces')
  t.equal(collectorOf('https://c/v1/traces').url, 'https://c/v1/traces')
  t.same(collectorOf('https://c', 'a=1, b=x%3Dy,rubbish').headers, { a: '1', b: 'x=y' })
  t.throws(() => collectorOf('collector:4318'), {
    message: /--traces "collector:4318" is no address/,
  })
})
