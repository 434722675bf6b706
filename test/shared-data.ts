import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Real models and data kept outside the repository; `undefined` where this machine has none. */
export function sharedData(): string | undefined {
  const root = process.env.FITMENT_SHARED_DATA ?? join(process.cwd(), '..', 'shared', 'data')
  return existsSync(root) ? root : undefined
}

/** The reason a test prints when it cannot run for want of that data. */
export const WITHOUT_SHARED_DATA = 'needs ../shared/data (or FITMENT_SHARED_DATA), absent here'
