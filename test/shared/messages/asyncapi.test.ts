import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import {
  EVENT_KINDS,
  type EventKind,
  eventOfKind,
} from '../../../planner/api/contract/event-kinds.ts'
import { digestSchema } from '../../../shared/digest-schema.ts'
import { messageIdSchema, nameSchema } from '../../../shared/ids.ts'
import { probeRecordSchema } from '../../../shared/measure/probe-record.ts'
import * as messages from '../../../shared/messages/index.ts'
import {
  CHANNELS,
  type Channel,
  JOIN_CHANNELS,
  type JoinChannel,
  printJoinTopic,
  printTopic,
} from '../../../shared/messages/topics.ts'
import { wordSchema } from '../../../shared/open-words.ts'
import { signedSchema, vouchedSchema } from '../../../shared/signatures/envelope.ts'
import { offerSchema } from '../../../shared/trust/index.ts'
import { windowSchema } from '../../../shared/windows/index.ts'

type Json = Record<string, unknown>

const read = (name: string) =>
  parse(readFileSync(join(process.cwd(), 'shared', 'messages', name), 'utf8'), {
    merge: true,
  }) as Json
const api = read('asyncapi.yaml')
const payloads = read('payloads.yaml')

/** Every channel by its name in asyncapi.yaml: address, direction, QoS. */
const TOLD_CHANNELS = {
  ...Object.fromEntries(
    (Object.keys(CHANNELS) as Channel[]).map((channel) => [
      channel,
      {
        address: printTopic({ fleet: '{fleet}', device: '{device}', channel }),
        ...CHANNELS[channel],
      },
    ]),
  ),
  ...Object.fromEntries(
    (Object.keys(JOIN_CHANNELS) as JoinChannel[]).map((channel) => [
      `join${channel.charAt(0).toUpperCase()}${channel.slice(1)}`,
      {
        address: printJoinTopic({ fleet: '{fleet}', joiner: '{joiner}', channel }),
        ...JOIN_CHANNELS[channel],
      },
    ]),
  ),
}

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  Digest: digestSchema,
  MessageId: messageIdSchema,
  Name: nameSchema,
  Time: z.iso.datetime(),
  Word: wordSchema,
  Epoch: messages.epochSchema,
  Signed: signedSchema,
  Vouched: vouchedSchema,
  ArtifactRef: messages.artifactRefSchema,
  Refusal: messages.refusalSchema,
  Offer: offerSchema,
  HardwareReport: messages.hardwareReportSchema,
  ProbeRecord: probeRecordSchema,
  Birth: messages.birthSchema,
  Death: messages.deathSchema,
  AssignOrder: messages.assignOrderSchema,
  VouchedProbe: messages.vouchedProbeSchema,
  ProbeStatement: messages.probeStatementSchema,
  ProbeOrder: messages.saidProbeSchema,
  ReceiptOrder: messages.receiptOrderSchema,
  RebirthOrder: messages.rebirthOrderSchema,
  CancelOrder: messages.cancelOrderSchema,
  CollectOrder: messages.collectOrderSchema,
  CollectedOrder: messages.collectedOrderSchema,
  AckReport: messages.ackReportSchema,
  InstallReport: messages.installReportSchema,
  ProbeReport: messages.probeReportSchema,
  HealthReport: messages.healthReportSchema,
  ObservationsReport: messages.observationsReportSchema,
  CapturedReport: messages.capturedReportSchema,
  RefusedReport: messages.refusedReportSchema,
  Want: messages.wantSchema,
  CertificateWish: messages.certificateWishSchema,
  JoinWithToken: messages.joinWithTokenSchema,
  RenewCertificate: messages.renewCertificateSchema,
  JoinIssued: messages.joinIssuedSchema,
  JoinRefused: messages.joinRefusedSchema,
  Window: windowSchema,
  ...Object.fromEntries(EVENT_KINDS.map((kind) => [payloadOf(kind), eventOfKind(kind)])),
}

/** `device.joined` → `DeviceJoinedEvent` */
function payloadOf(kind: EventKind): string {
  const words = kind.split('.').map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return `${words.join('')}Event`
}

t.test('payloads.yaml describes every schema of the wire and nothing else', async (t) => {
  t.strictSame(Object.keys(payloads).sort(), Object.keys(SCHEMAS).sort())
})

for (const [name, schema] of Object.entries(SCHEMAS)) {
  t.test(`payloads.yaml says of ${name} what the schema checks`, async (t) => {
    const told = canonical(payloads[name])
    const checked = canonical(z.toJSONSchema(schema, { io: 'input' }))
    t.strictSame(told, checked, `bring ${name} in shared/messages/payloads.yaml up to date`)
  })
}

t.test(
  'asyncapi.yaml has every channel, with its direction, QoS and kinds of message',
  async (t) => {
    const { webhooks: _, ...channels } = api.channels as Record<string, Json>
    t.strictSame(Object.keys(channels).sort(), Object.keys(TOLD_CHANNELS).sort())
    const operations = Object.values(api.operations as Record<string, Json>)
    for (const [channel, { address, from, qos }] of Object.entries(TOLD_CHANNELS)) {
      t.equal(channels[channel]?.address, address)
      const mine = operations.filter(
        ({ channel: ref }) => (ref as Json).$ref === `#/channels/${channel}`,
      )
      t.match(mine, [
        { action: from === 'agent' ? 'send' : 'receive', bindings: { mqtt: { qos } } },
      ])
    }
    for (const [channel, union] of [
      ['orders', messages.orderSchema],
      ['reports', messages.reportSchema],
      ['joinRequest', messages.joinRequestSchema],
    ] as const) {
      const kinds = union.options.map((option) => option.shape.kind.value)
      t.strictSame(Object.keys(channels[channel]?.messages as Json), kinds)
    }
  },
)

t.test('asyncapi.yaml has every kind of event that webhooks tell, with its payload', async (t) => {
  const { webhooks } = api.channels as Record<string, { messages: Json; address: null }>
  const expected = Object.fromEntries(
    EVENT_KINDS.map((kind) => [kind, { payload: { $ref: `payloads.yaml#/${payloadOf(kind)}` } }]),
  )
  t.strictSame(webhooks?.messages, expected)
  t.equal(webhooks?.address, null, 'it is no topic')
})

t.test('asyncapi.yaml names payloads that there are', async (t) => {
  const refs = JSON.stringify(api).matchAll(/"\$ref":"payloads\.yaml#\/(\w+)"/g)
  for (const [, name = ''] of refs) t.ok(Object.hasOwn(payloads, name), name)
})

/**
 * References followed, words for people left out, and one spelling for what JSON Schema lets spell in
 * several. Of a probe record only what every one has: the figures that explain it are optional, and
 * described in shared/measure.
 */
function canonical(value: unknown, requiredOnly = false): unknown {
  if (Array.isArray(value)) return value.map((inner) => canonical(inner, requiredOnly))
  if (typeof value !== 'object' || value === null) return value
  const schema = value as Json
  if (typeof schema.$ref === 'string') return canonical(payloads[schema.$ref.slice(2)])
  const lean = requiredOnly || Object.hasOwn((schema.properties ?? {}) as Json, 'probeVersion')
  const plain: Json = {}
  for (const [key, inner] of Object.entries(schema)) {
    if (key === 'properties') plain[key] = propertiesOf(schema, lean)
    else if (!isNoise(key, schema)) plain[key] = canonical(inner, lean)
  }
  if (Array.isArray(plain.required)) plain.required = [...plain.required].sort()
  return nullable(plain)
}

function propertiesOf({ properties, required }: Json, requiredOnly: boolean): Json {
  const isTold = (name: string) => !requiredOnly || (required as string[]).includes(name)
  const entries = Object.entries(properties as Json).filter(([name]) => isTold(name))
  return Object.fromEntries(entries.map(([name, inner]) => [name, canonical(inner, requiredOnly)]))
}

function isNoise(key: string, schema: Json): boolean {
  const value = schema[key]
  if (['$schema', 'description', 'additionalProperties'].includes(key)) return true
  if (key === 'type') return 'const' in schema || 'enum' in schema
  if (key === 'pattern') return schema.format === 'date-time'
  // The bounds of every integer in JavaScript, and the length that a tuple has anyway.
  if (key === 'minimum' || key === 'maximum')
    return Math.abs(value as number) >= Number.MAX_SAFE_INTEGER
  return 'prefixItems' in schema && ['items', 'minItems', 'maxItems'].includes(key)
}

/** `{ anyOf: [{ type: T, … }, { type: 'null' }] }` is `{ type: [T, 'null'], … }`. */
function nullable(schema: Json): Json {
  const [first, second, ...more] = (schema.anyOf ?? []) as Json[]
  const isPlain = typeof first?.type === 'string' && second?.type === 'null' && more.length === 0
  return isPlain ? { ...first, type: [first.type, 'null'] } : schema
}
