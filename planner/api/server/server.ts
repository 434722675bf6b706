import { chmod, unlink } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { Logger } from 'pino'
import { type Family, family } from '../../../shared/exposition/index.ts'
import { closeServer, listenOn } from '../../../shared/http-listening.ts'
import type { Conductor } from '../../conductor/index.ts'
import type { PlannerIdentity } from '../../identity/index.ts'
import type { PlannerInfo } from '../call/call.ts'
import { EventFeed } from '../events/event-feed.ts'
import { PlannerMetrics } from '../metrics/planner-metrics.ts'
import { Requests } from '../metrics/requests.ts'
import { startWebhooks } from '../webhooks/dispatcher.ts'
import { answer } from './answer.ts'
import type { Channel } from './callers.ts'
import type { Pages, Planner } from './exchange.ts'
import { listenForOperators, type OperatorListener } from './operator-listener.ts'
import { askedBy } from './requests.ts'
import { Turnstile } from './turnstile.ts'

export interface ApiOptions {
  readonly conductor: Conductor
  readonly info: PlannerInfo
  /** Where to listen: a Unix socket, open to its owner only. */
  readonly socket: string
  readonly identity?: PlannerIdentity
  /** Where operators elsewhere ask, each with a token of their own; absent: nowhere. */
  readonly listener?: OperatorListener
  /** A console; absent: there is none. */
  readonly pages?: Pages
  /** Who may read metrics from elsewhere; over the socket its owner may. */
  readonly metricsFor?: Planner['metricsFor']
  /** More figures than the planner's own, in the same text: of a broker in the same process. */
  readonly moreMetrics?: () => readonly Family[]
  readonly log: Logger
}

export interface Api {
  /** `https://host:port`, with a listener. */
  readonly operatorUrl?: string
  close(): Promise<void>
}

/** Requests that are answered at a time; streams of events are counted by themselves. */
const AT_ONCE = { each: 128, all: 512 }
const READERS_AT_ONCE = { each: 16, all: 128 }

/** The operator API under `/api/v1`, as `contract/routes.ts` has it, on the socket and where operators elsewhere ask. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { identity, listener, conductor, info, log, pages } = options
  const { context } = conductor
  let remote: { readonly url: string; close(): Promise<void> } | undefined
  const feed = new EventFeed(context)
  const requests = new Requests()
  const planner: Planner = {
    ...{ conductor, info, identity, log, pages, feed },
    requests,
    metrics: new PlannerMetrics(context, info, requests, () => [
      family('gauge', 'fitment_api_event_readers', 'Open streams of events.', [
        { value: feed.readers },
      ]),
      ...(options.moreMetrics?.() ?? []),
    ]),
    metricsFor: options.metricsFor ?? 'nobody',
    turnstile: new Turnstile(AT_ONCE),
    readers: new Turnstile(READERS_AT_ONCE),
    operatorUrl: () => remote?.url,
  }
  const handlerFor = (channel: Channel): RequestListener => {
    return (request, response) =>
      void answer({ planner, channel, request, response, asked: askedBy(request) })
  }
  const isTls = listener?.isPlain !== true
  remote =
    identity &&
    listener &&
    (await listenForOperators(listener, identity, handlerFor({ kind: 'tcp', isTls })))
  const server = createServer({ requestTimeout: 0 }, handlerFor({ kind: 'socket', isTls: false }))
  // The database is held by this planner alone, so a socket that is there was left by one that was killed.
  await unlink(options.socket).catch(() => {})
  await listenOn(server, options.socket)
  await chmod(options.socket, 0o600)
  const webhooks = startWebhooks({ context, fleet: info.fleet, log })
  await feed.start()
  return {
    ...(remote && { operatorUrl: remote.url }),
    async close() {
      feed.close()
      await webhooks.close()
      await Promise.all([closeServer(server), remote?.close()])
    },
  }
}
