import { z } from 'zod'
import { artifactRefSchema } from '../../../shared/artifact.ts'
import { OPERATIONS, type operationNames, progressSchema } from '../contract/contract.ts'
import { eventSchema } from '../contract/event-kinds.ts'
import { explanationSchema } from '../contract/explanation.ts'
import { alarmViewSchema, healthViewSchema } from '../contract/health-views.ts'
import { packageViewSchema } from '../contract/package-views.ts'
import { problemSchema } from '../contract/problems.ts'
import {
  rolloutDetailSchema,
  rolloutMemberSchema,
  rolloutSummarySchema,
} from '../contract/rollout-views.ts'
import { logInSchema, sessionViewSchema } from '../contract/session-views.ts'
import * as views from '../contract/views.ts'
import { deliveryViewSchema, webhookViewSchema } from '../contract/webhook-views.ts'

/** JSON Schema of 2020-12, as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What has a name in the document; everything else stands where it is used. */
const NAMED: Readonly<Record<string, z.ZodType>> = {
  Problem: problemSchema,
  Progress: progressSchema,
  ArtifactRef: artifactRefSchema,
  LogIn: logInSchema,
  Session: sessionViewSchema,
  Event: eventSchema,
  Device: views.deviceViewSchema,
  DeviceDetail: views.deviceDetailSchema,
  Class: views.classViewSchema,
  ClassDetail: views.classDetailSchema,
  Candidate: views.candidateViewSchema,
  Variant: views.variantViewSchema,
  ClassPlan: views.classPlanSchema,
  Model: views.modelViewSchema,
  ModelDetail: views.modelDetailSchema,
  Revision: views.revisionViewSchema,
  Probe: views.probeViewSchema,
  Explanation: explanationSchema,
  Rollout: rolloutSummarySchema,
  RolloutDetail: rolloutDetailSchema,
  RolloutMember: rolloutMemberSchema,
  RolloutStatus: views.rolloutStatusSchema,
  Health: healthViewSchema,
  Alarm: alarmViewSchema,
  Window: views.windowViewSchema,
  RuntimePackage: packageViewSchema,
  Keys: views.keysViewSchema,
  Batch: views.batchViewSchema,
  AuditEntry: views.auditViewSchema,
  Webhook: webhookViewSchema,
  Delivery: deliveryViewSchema,
}

const PLACE = '#/components/schemas/'
const named = new Map(Object.entries(NAMED).map(([name, schema]) => [schema, name]))

/** As it stands in the document: by its name, or whole. What is sent is what the reader's schema takes. */
export function schemaOf(schema: z.ZodType): JsonSchema {
  const name = named.get(schema)
  if (name !== undefined) return { $ref: `${PLACE}${name}` }
  const whole = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return strip(whole)
}

/** A page of a list; its items have a name. */
export function pageSchema(item: z.ZodType): JsonSchema {
  return {
    type: 'object',
    properties: {
      items: { type: 'array', items: schemaOf(item) },
      next: { type: ['string', 'null'], description: 'The cursor of the next page.' },
      total: { type: ['integer', 'null'] },
    },
    required: ['items', 'next', 'total'],
    additionalProperties: false,
  }
}

export function components(): Readonly<Record<string, JsonSchema>> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, {
    io: 'input',
    unrepresentable: 'any',
    uri: (id) => `${PLACE}${id}`,
  })
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, strip(schema)]))
}

function strip({
  $schema: _,
  $id: __,
  '~standard': ___,
  ...schema
}: Record<string, unknown>): JsonSchema {
  return schema
}

/** The schemas of operations are objects: their fields go to the path, the query, or the body. */
export function fieldsOf(name: (typeof operationNames)[number]): {
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required: readonly string[]
} {
  const { properties = {}, required = [] } = schemaOf(OPERATIONS[name].input) as {
    properties?: Record<string, JsonSchema>
    required?: string[]
  }
  return { properties, required }
}
