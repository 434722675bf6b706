import type { Finding } from '../../../../shared/findings.ts'
import type { TflModel } from '../model.ts'

/** A model after a step of preparation, and what the user should know of it. */
export interface Prepared {
  readonly model: TflModel
  readonly findings: readonly Finding[]
}
