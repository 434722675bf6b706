import { z } from 'zod'

/** What the build leaves for the server: the page, and files whose names say what is in them. */
export const assetsSchema = z.object({
  page: z.string(),
  files: z.array(z.object({ name: z.string(), type: z.string() })),
})
export type Assets = z.infer<typeof assetsSchema>

export const ASSETS_FILE = 'assets.json'
export const ASSETS_PATH = '/console/'
