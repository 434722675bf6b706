import { z } from 'zod'
import {
  energyRecordSchema,
  measuredEngineSchema,
  soakRecordSchema,
} from '../../../shared/measure/records.ts'
import { openWord, wordOr } from '../../../shared/open-words.ts'
import { TARGET_NAMES } from '../../targets/index.ts'

const targetName = openWord(TARGET_NAMES)
const named = z.object({ scheme: z.string(), runtime: targetName })
const ratio = z.object({ p50: z.number(), ci95: z.tuple([z.number(), z.number()]) })

/** One measurement as it was made. Times ms. */
const measurementSchema = z.object({
  device: z.string(),
  /** In turns with; null: alone. */
  rival: named.nullable(),
  orderedAt: z.string(),
  finishedAt: z.string().nullable(),
  state: z.string(),
  p50Ms: z.number().nullable(),
  ci95: z.tuple([z.number(), z.number()]).nullable(),
  runs: z.number().nullable(),
  /** Of this over its rival. */
  ratio: ratio.nullable(),
  /** Of the test slice that were answered. */
  samples: z.number().nullable(),
  verdict: z.string().nullable(),
  flags: z.array(z.string()),
  engine: measuredEngineSchema.nullable(),
  /** How runs followed each other; null: one after the other. */
  pace: z.object({ rateHz: z.number(), late: z.number() }).nullable().default(null),
  /** Threads and cores that were tried, of which the best was measured. */
  tried: z
    .array(
      z.object({ threads: z.number(), cores: z.array(z.number()).nullable(), p50Ms: z.number() }),
    )
    .default([]),
  cores: z.array(z.number()).nullable().default(null),
  soak: soakRecordSchema.nullable().default(null),
  /** Null: not asked for, or no meter. */
  energy: energyRecordSchema.nullable().default(null),
  /** Why there is no energy, where it was asked for. */
  withoutMeter: z.boolean().default(false),
  error: z.string().nullable(),
  /** Whether the choice rests on it too. */
  counts: z.boolean(),
})

/** Why a device gets what it gets, with every measurement behind it: for people, and for audits. */
export const explanationSchema = z.object({
  model: z.string(),
  revision: z.number(),
  device: z.string(),
  class: z.string(),
  round: z.number(),
  stage: z.string(),
  /** What is waited for; empty where nothing is. */
  waiting: z.string(),
  /** When it was chosen; null: not yet. */
  chosenAt: z.string().nullable(),
  chosen: named.nullable(),
  /** What this device gets, where the chosen one does not fit it; null: the chosen one. */
  instead: named.extend({ why: z.string() }).nullable(),
  why: z.string(),
  acceptsNoise: z.boolean(),
  /** How probes are made, where not as usual; empty: as usual. */
  probing: z.string().default(''),
  /** What was learnt from other models, and how far off it was on those that it had not seen; null: nothing. */
  costModel: z.object({ plans: z.number(), error: z.number().nullable() }).nullable().default(null),
  /** Two speeds within the class, and what tells them apart; empty: one speed. */
  parts: z.string().default(''),
  /** Devices whose records are left out, with why. */
  notBelieved: z.array(z.object({ device: z.string(), why: z.string() })),
  /** What the device itself measured of what it was given, once it ran there; null: it was not asked. */
  recheck: named
    .extend({
      state: z.enum(['due', 'asked', 'done']),
      at: z.string().nullable(),
      verdict: openWord(['as-chosen', 'faster', 'slower', 'disturbed', 'failed']).nullable(),
      /** Over what its class was chosen for. */
      change: ratio.nullable(),
      text: z.string(),
    })
    .nullable()
    .default(null),
  candidates: z.array(
    named.extend({
      verdict: wordOr(['chosen', 'kept', 'dropped', 'pending'], 'pending'),
      reason: z.string(),
      bytes: z.number().nullable(),
      p50Ms: z.number().nullable(),
      besideFloat32: ratio.nullable(),
      /** Of this over the chosen one, and how that is known. */
      besideChosen: ratio
        .extend({ basis: z.string(), devices: z.number(), shown: z.boolean() })
        .nullable(),
      host: z
        .object({
          samples: z.number(),
          accuracy: z.number().nullable(),
          onlyThisRight: z.number().nullable(),
          onlyFloat32Right: z.number().nullable(),
          /** Exact McNemar test against float32. */
          pValue: z.number().nullable(),
        })
        .nullable(),
      drop: z.number().nullable(),
      /** Its latency over that of the chosen one as other models let expect it; null: nothing to go by. */
      expected: ratio.extend({ bounded: z.boolean() }).nullable().default(null),
      notes: z.array(z.string()),
      measurements: z.array(measurementSchema),
    }),
  ),
})
export type Explanation = z.infer<typeof explanationSchema>
