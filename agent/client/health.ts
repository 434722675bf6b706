import { askOn, healthSocketPath } from './ask.ts'

export interface Health {
  readonly healthy: boolean
  /** Why not: one line, which the operator reads. */
  readonly detail?: string
}

/**
 * Says how this application is with a variant of a model. The agent listens while it watches a variant after a
 * switch and keeps nothing, so say it again every few seconds, as to a watchdog: one word of `healthy: false` goes
 * back to the variant before, and an agent with `--health-word` does so too where nobody says `healthy: true`.
 * @returns whether that variant is being watched now; false also where no agent runs
 * @throws Error for a model or variant that is none, or a socket that this user may not write to
 */
export async function sayHealth(
  stateDir: string,
  model: string,
  variant: string,
  { healthy, detail = '' }: Health,
): Promise<boolean> {
  const verb = healthy ? 'healthy' : 'unhealthy'
  const line = [verb, model, variant, detail.replace(/\s+/g, ' ').slice(0, 300)].join(' ')
  const answer = (await askOn(healthSocketPath(stateDir), line.trim())) as
    | { readonly watched?: boolean; readonly error?: string }
    | undefined
  if (answer?.error !== undefined) throw new Error(answer.error)
  return answer?.watched ?? false
}
