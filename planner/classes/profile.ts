import { z } from 'zod'
import { ACCELERATORS, ARCHITECTURES, ISA_FEATURES } from '../../shared/messages/index.ts'
import { PACKAGED_RUNTIMES, type PackagedRuntime } from '../../shared/runtime/index.ts'
import { ACCELERATED_NAMES } from '../targets/index.ts'

const text = z.string().min(1)
const bytes = z.int().positive()
const isaFeature = z.enum(ISA_FEATURES)

/** `*` stands for any text; case does not count. */
const pattern = text.describe('Text to compare, where * stands for anything; case does not count.')

export const identifySchema = z
  .strictObject({
    architecture: z
      .enum(ARCHITECTURES)
      .describe('What the runtimes run as, not what the chip could do.'),
    compatible: z
      .array(text)
      .min(1)
      .optional()
      .describe('Device-tree compatible strings; one of them must be in the report.'),
    boardModel: z
      .array(pattern)
      .min(1)
      .optional()
      .describe('Board names, for containers that hide the device tree; one must fit.'),
    dmi: z
      .array(z.strictObject({ vendor: pattern.optional(), model: pattern.optional() }))
      .min(1)
      .optional()
      .describe('DMI vendor and product; one entry must fit.'),
    cpuModel: z.array(pattern).min(1).optional().describe('CPU model names; one must fit.'),
    cpuParts: z
      .array(z.string().regex(/^0x[0-9a-f]{2}\/0x[0-9a-f]{3}$/))
      .min(1)
      .optional()
      .describe('ARM implementer/part pairs; every core of the device must be one of them.'),
    features: z
      .strictObject({
        all: z.array(isaFeature).default([]),
        any: z
          .array(isaFeature)
          .default([])
          .describe('At least one of them, unless the list is empty.'),
        none: z.array(isaFeature).default([]),
      })
      .default({ all: [], any: [], none: [] }),
    memoryBytes: z
      .strictObject({ min: bytes.optional(), max: bytes.optional() })
      .optional()
      .describe('Range of total memory, both ends included.'),
  })
  .describe(
    'compatible, boardModel, dmi and cpuModel are claims: one of those given must fit. The rest are checks: all must hold.',
  )

const runtimeSchema = z.strictObject({ supported: z.boolean(), why: text })

export const ONNX_FORMS = ['s8s8', 'u8s8', 'u8s8-rr'] as const
export type OnnxForm = (typeof ONNX_FORMS)[number]

export const profileSchema = z.strictObject({
  $schema: z.string().optional(),
  id: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    .describe('The name of the device class, and of the file.'),
  name: text,
  priority: z
    .int()
    .min(0)
    .max(1000)
    .describe('Higher wins. Boards 300, processors 200, generic profiles 100.'),
  identify: identifySchema,
  runtimes: z.strictObject(
    Object.fromEntries(PACKAGED_RUNTIMES.map((name) => [name, runtimeSchema])) as Record<
      PackagedRuntime,
      typeof runtimeSchema
    >,
  ),
  accelerators: z.array(
    z.strictObject({
      kind: z.enum(ACCELERATORS),
      presence: z.enum(['built-in', 'optional']),
      targets: z
        .array(z.enum(ACCELERATED_NAMES))
        .min(1)
        .optional()
        .describe(
          'What files for it are made for; tells configurations apart. None: nothing uses it.',
        ),
      note: text,
    }),
  ),
  budgets: z
    .strictObject({ memoryBytes: bytes, storageBytes: bytes, why: text })
    .describe('The most that one model may take, bytes.'),
  numerics: z.strictObject({
    dotprod: z.boolean().describe('ARM 8-bit dot product.'),
    i8mm: z.boolean().describe('ARM 8-bit matrix multiply.'),
    vnni: z.boolean().describe('x86 8-bit dot product without int16 saturation.'),
    fp16: z.boolean().describe('Arithmetic on half floats, not only conversion.'),
    onnxForm: z
      .enum(ONNX_FORMS)
      .nullable()
      .describe(
        'Activation and weight types of a static int8 ONNX model; rr: weights whose sums of two fit 16 bits.',
      ),
  }),
  threads: z.strictObject({ recommended: z.int().min(1).max(256), why: text }),
  notes: z.array(z.strictObject({ text, source: text })),
})

/** What we know of a board family: how to tell it, what runs there and how much of it. */
export type Profile = z.infer<typeof profileSchema>

/** firmware-profiles/profile.schema.json, for editors. */
export function profileJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(profileSchema, { io: 'input', target: 'draft-2020-12' })
  return { ...schema, title: 'Firmware profile' }
}
