import { z } from 'zod'
import { digestSchema } from '../digest-schema.ts'
import { parseJsonText } from '../json.ts'

const MOST_PORTS = 64
const MOST_VALUES = 1 << 20

/** Bytes of one sample's text: what an application may say in one line, and who and when. */
export const MOST_SAMPLE_BYTES = 4 * 1024 * 1024 + 1024

const portsSchema = z
  .record(z.string().min(1).max(256), z.array(z.number()).max(MOST_VALUES))
  .refine((ports) => Object.keys(ports).length <= MOST_PORTS, 'too many ports')

/** Real values by the name of each input or output, flat, batch of one. */
export type Ports = Readonly<Record<string, readonly number[]>>

/** One inference that is worth a label. */
export const capturedSampleSchema = z.object({
  /** By the device's clock. */
  at: z.iso.datetime(),
  variant: digestSchema,
  why: z.string().max(64),
  inputs: portsSchema,
  outputs: portsSchema,
})
export type CapturedSample = z.infer<typeof capturedSampleSchema>

/** `undefined` for bytes that are none, whoever sent them. */
export function parseCaptured(bytes: Uint8Array): CapturedSample | undefined {
  if (bytes.length > MOST_SAMPLE_BYTES) return undefined
  const text = parseJsonText(bytes)
  return text.ok ? capturedSampleSchema.safeParse(text.value).data : undefined
}
