import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Conductor } from '../../conductor/index.ts'
import type { PlannerIdentity } from '../../identity/index.ts'
import type { PlannerInfo } from '../call/call.ts'
import type { EventFeed } from '../events/event-feed.ts'
import type { PlannerMetrics } from '../metrics/planner-metrics.ts'
import type { Requests } from '../metrics/requests.ts'
import type { Channel } from './callers.ts'
import type { Asked } from './requests.ts'
import type { Turnstile } from './turnstile.ts'

/** What is neither API nor metrics: pages of a console. Called for GET and HEAD. */
export type Pages = (request: IncomingMessage, response: ServerResponse) => void

/** What answers are made of, the same for all requests. */
export interface Planner {
  readonly conductor: Conductor
  readonly info: PlannerInfo
  readonly identity?: PlannerIdentity | undefined
  readonly log: Logger
  readonly pages?: Pages | undefined
  readonly metrics: PlannerMetrics
  readonly requests: Requests
  /** Who may read them from elsewhere. */
  readonly metricsFor: 'nobody' | 'token' | 'everybody'
  readonly feed: EventFeed
  readonly turnstile: Turnstile
  readonly readers: Turnstile
  readonly operatorUrl: () => string | undefined
}

/** One request on its way to its answer. */
export interface Exchange {
  readonly planner: Planner
  readonly channel: Channel
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly asked: Asked
}
