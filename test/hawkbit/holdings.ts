import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What a hawkBit server holds, as far as the stand-in needs it, and how it answers. */
export interface Artifact {
  readonly id: number
  readonly filename: string
  readonly bytes: Buffer
}

export interface Module {
  readonly id: number
  readonly name: string
  readonly version: string
  readonly type: string
  readonly artifacts: Artifact[]
  locked: boolean
}

export interface DistributionSet {
  readonly id: number
  readonly name: string
  readonly version: string
  readonly modules: readonly number[]
}

export interface Feedback {
  readonly execution: string
  readonly finished: string
  readonly details: readonly string[]
}

export interface Action {
  readonly id: number
  readonly target: string
  readonly set: number
  state: 'running' | 'canceling' | 'canceled' | 'finished' | 'error'
  /** `update` of its deployment. */
  update: 'forced' | 'skip'
  readonly feedback: Feedback[]
}

export interface Target {
  readonly id: string
  readonly token: string
  readonly tags: Set<number>
  attributes: Record<string, string>
  wantsAttributes: boolean
  readonly had: Set<number>
}

export interface Filter {
  readonly id: number
  readonly name: string
  query: string
  autoAssignDistributionSet: number | null
  autoAssignActionType: string | null
}

/** What a test does to a request; `cut`: so many bytes of the answer, then the connection ends. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly cut: number }
  | { readonly spoil: true }

export interface HawkbitStandIn {
  readonly url: string
  readonly modules: Module[]
  readonly sets: DistributionSet[]
  readonly tags: { readonly id: number; readonly name: string }[]
  readonly filters: Filter[]
  readonly targets: Map<string, Target>
  readonly actions: Action[]
  /** `GET /path`, as they came. */
  readonly asked: string[]
  /** Ranges that were asked of artifacts. */
  readonly ranges: string[]
  sleep: string
  fault: ((asked: string) => Fault | undefined) | undefined
  nextId(): number
  addTarget(id: string): Target
  /** As its scheduler does: sets of filters go to targets that match and never had them. */
  assign(): void
  /** Resolves once it holds. */
  until(holds: () => boolean): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
}

export const MANAGER = { user: 'admin', password: 'secret' } as const
export const TENANT = 'DEFAULT'

export interface Heard {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  readonly fault: Fault | undefined
}

export interface Said {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Buffer
}

export function json(value: unknown, status = 200): Said {
  const body = Buffer.from(JSON.stringify(value))
  return { status, headers: { 'content-type': 'application/json' }, body }
}

export function empty(status = 200): Said {
  return { status, headers: {}, body: Buffer.alloc(0) }
}

/** `ExceptionInfo` */
export function refused(status: number, errorCode: string, message: string): Said {
  return json({ exceptionClass: 'org.eclipse.hawkbit', errorCode, message, info: {} }, status)
}

export function hex(algorithm: string, bytes: Buffer): string {
  return createHash(algorithm).update(bytes).digest('hex')
}
