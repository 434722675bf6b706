import { z } from 'zod'

/** Apart from the digests, which need no parser of messages. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/)
