import { z } from 'zod'
import { artifactRefSchema } from '../artifact.ts'
import { digestSchema } from '../digest-schema.ts'
import { deviceIdSchema, messageIdSchema, modelNameSchema } from '../ids.ts'
import { openUnion, openWord } from '../open-words.ts'
import { RUNTIME_NAMES } from '../runtime/index.ts'
import { anySchemeNameSchema } from '../scheme-name.ts'
import { vouchedSchema } from '../signatures/index.ts'
import { offerSchema } from '../trust/index.ts'
import { windowSchema } from '../windows/index.ts'

/**
 * What a device shall run for one model. `model` and `variant` only name what the order is about: believed
 * is what both repositories of the offer say (agent/trust). Where the image repository's files are too many
 * for a message, `image` is an artifact that holds them.
 */
export const assignOrderSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  kind: z.literal('assign'),
  model: modelNameSchema,
  variant: digestSchema,
  offer: offerSchema,
  image: artifactRefSchema.nullable(),
  /**
   * Hours in which the device may switch; absent: at once. It fetches and verifies before. Nobody signs them: they
   * decide when, never what.
   */
  windows: z.array(windowSchema).max(32).optional(),
})

/** By what of a runtime it is computed: a delegate's name, or a device's; null: the processor alone. */
export const computedBySchema = z.string().min(1).max(64).nullable()

/** Variants that one order measures beside its own, at most. */
export const MOST_OTHERS = 7

const otherShape = {
  /** What is answered of it names this. */
  probe: messageIdSchema,
  variant: digestSchema,
  artifact: artifactRefSchema,
  runtime: z.enum(RUNTIME_NAMES),
  accelerator: computedBySchema.optional(),
  threads: z.number().int().min(1).max(64),
  answersMs: z.number().int().min(0).max(600_000).optional(),
  /** The probe of this order that its ratio is to; absent: the order's baseline; null: none. */
  beside: messageIdSchema.nullable().optional(),
}

/** What to measure, for a runtime that this end has. On the wire it is the text that the director's keys sign: `vouchedProbeSchema`. */
export const probeOrderSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  kind: z.literal('probe'),
  model: modelNameSchema,
  variant: digestSchema,
  artifact: artifactRefSchema,
  runtime: z.enum(RUNTIME_NAMES),
  accelerator: computedBySchema.optional(),
  scheme: anySchemeNameSchema,
  /** Test slice as .npz: `x`, `y` if labelled, `reference` (float outputs). */
  data: artifactRefSchema,
  /** What to measure in turns with this one: float32 on its runtime, or a rival; null for none, or where it does not fit. */
  baseline: z
    .object({
      artifact: artifactRefSchema,
      runtime: z.enum(RUNTIME_NAMES),
      accelerator: computedBySchema.optional(),
      /** Where others suit it than the variant. */
      threads: z.number().int().min(1).max(64).optional(),
    })
    .nullable(),
  /**
   * Other variants that are measured in the same rounds, each in turns with all others. An agent that does not know of them
   * measures this variant alone.
   */
  others: z.array(z.object(otherShape)).min(1).max(MOST_OTHERS).optional(),
  threads: z.number().int().min(1).max(64),
  /** Processors to run on; absent: wherever the system puts it. */
  cores: z.array(z.number().int().min(0).max(4095)).min(1).max(256).optional(),
  /** Try which number of threads, up to `threads`, and which cores are best, and measure with those. */
  tryThreads: z.boolean().optional(),
  /** Runs begin so often a second; absent: one after the other. */
  rateHz: z.number().min(0.1).max(10_000).optional(),
  /** Afterwards run it for so long without a pause, ms. */
  soakMs: z.number().int().min(1_000).max(300_000).optional(),
  /** Afterwards measure the energy of a run, where there is a meter. */
  energy: z.boolean().optional(),
  /** Time for answers to the test data, ms; absent: as the device sees fit. One sample is answered in any case. */
  answersMs: z.number().int().min(0).max(600_000).optional(),
  /** Ratios to the baseline that the decision hangs on: enough is measured once the interval has left them. */
  decides: z.array(z.number().positive()).max(8).optional(),
  /** Time to spend measuring, ms. */
  measureMs: z.number().int().min(100).max(120_000),
  timeoutMs: z.number().int().min(1_000).max(600_000),
  /** Longest to wait for a quiet moment before it, ms; absent: begin at once. */
  quietMs: z.number().int().min(0).max(600_000).optional(),
})
export type ProbeOrder = z.infer<typeof probeOrderSchema>
export type OtherProbe = NonNullable<ProbeOrder['others']>[number]

/** As it is said: the runtime may be one that this end does not know. */
export const saidProbeSchema = probeOrderSchema.extend({
  runtime: openWord(RUNTIME_NAMES),
  baseline: z
    .object({
      artifact: artifactRefSchema,
      runtime: openWord(RUNTIME_NAMES),
      accelerator: computedBySchema.optional(),
      threads: z.number().int().min(1).max(64).optional(),
    })
    .nullable(),
  others: z
    .array(z.object({ ...otherShape, runtime: openWord(RUNTIME_NAMES) }))
    .min(1)
    .max(MOST_OTHERS)
    .optional(),
})
export type SaidProbe = z.infer<typeof saidProbeSchema>

/** The payload that is signed: to whom it is said, and until when it holds. */
export const probeStatementSchema = z.object({
  device: deviceIdSchema,
  issuedAt: z.iso.datetime(),
  expires: z.iso.datetime(),
  order: saidProbeSchema,
})
export type ProbeStatement = z.infer<typeof probeStatementSchema>

/**
 * A probe order as it goes out. `id`, `model` and `variant` only name what it is about: believed is what the
 * keys vouch for that the director's root names for its targets. `roots` leads to that root.
 */
export const vouchedProbeSchema = probeOrderSchema
  .pick({ v: true, id: true, kind: true, model: true, variant: true })
  .extend({ roots: offerSchema, vouched: vouchedSchema })
export type VouchedProbe = z.infer<typeof vouchedProbeSchema>

/** Longest address of a copy of the artifacts. */
export const MOST_ADDRESS = 512

/** The planner has stored these reports; the agent's outbox may drop them. */
export const receiptOrderSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  kind: z.literal('receipt'),
  reports: z.array(messageIdSchema).min(1).max(256),
  /**
   * Where a copy of the artifacts lies behind HTTPS, `<address>/<ab>/<abcd…>` by digest; absent: nowhere. Every receipt says
   * it, so that a device knows it after every birth. Nobody signs it: blocks are held against signed lists wherever they come from.
   */
  artifacts: z.string().max(MOST_ADDRESS).optional(),
})

/** The planner does not know this session: say birth again. */
export const rebirthOrderSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  kind: z.literal('rebirth'),
})

/** A probe that nobody needs any more. */
export const cancelOrderSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  kind: z.literal('cancel'),
  order: messageIdSchema,
})

/** Blocks of a sample that are asked for at a time. */
export const MOST_COLLECTED_BLOCKS = 8

/** Send so many blocks of a captured sample, from this one on, on the channel `samples`. Asked again where they do not come. */
export const collectOrderSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  kind: z.literal('collect'),
  model: modelNameSchema,
  sample: digestSchema,
  from: z
    .number()
    .int()
    .nonnegative()
    .max(2 ** 15),
  blocks: z.number().int().min(1).max(MOST_COLLECTED_BLOCKS),
})

/** The planner wants no more of these samples: it has them, or will not have them. */
export const collectedOrderSchema = z.object({
  v: z.literal(1),
  id: messageIdSchema,
  kind: z.literal('collected'),
  samples: z.array(digestSchema).min(1).max(256),
})

export const orderSchema = z.discriminatedUnion('kind', [
  assignOrderSchema,
  vouchedProbeSchema,
  receiptOrderSchema,
  rebirthOrderSchema,
  cancelOrderSchema,
  collectOrderSchema,
  collectedOrderSchema,
])
export type Order = z.infer<typeof orderSchema>
export type OrderKind = Order['kind']
export type OrderOf<K extends OrderKind> = Extract<Order, { kind: K }>

/** An order of a later version, as far as every order can be read: enough to answer that it is not understood. */
export interface LaterOrder {
  readonly id: string
  readonly kind: 'later'
  /** Its kind, as it was said. */
  readonly said: string
}

const laterOrderSchema = z
  .object({ v: z.literal(1), id: messageIdSchema, kind: z.string() })
  .transform(({ id, kind }): LaterOrder => ({ id, kind: 'later', said: kind }))

export const ORDERS = openUnion('kind', orderSchema, laterOrderSchema)
export type HeardOrder = Order | LaterOrder
