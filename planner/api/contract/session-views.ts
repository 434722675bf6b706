import { z } from 'zod'

export const logInSchema = z.object({
  /** The text of `fitment operators add`. */
  token: z.string().min(1).max(2048),
})

export const sessionViewSchema = z.object({
  /** As it stands in the audit. */
  actor: z.string(),
  name: z.string(),
  role: z.string(),
  /** Null: it has no end. */
  expiresAt: z.string().nullable(),
})
export type SessionView = z.infer<typeof sessionViewSchema>
