import type { ServerResponse } from 'node:http'
import { ApiError } from '../contract/errors.ts'
import type { FeedEvent } from '../events/event-feed.ts'
import type { Caller } from './callers.ts'
import type { Exchange } from './exchange.ts'
import { DATA_POLICY } from './replies.ts'

const HEARTBEAT_MS = 15_000
/** What a reader may leave unread before it is sent away: it loads all anew, faster than it would catch up. */
const MOST_UNREAD_BYTES = 256 * 1024
const RETRY_MS = 2_000

/** Why a stream ends: the page loads anew, logs in anew, or waits for the planner. */
type Farewell = 'slow' | 'session' | 'leaving'

/** Server-sent events (HTML Living Standard 9.2), from behind the last one the reader has. */
export async function answerEvents(exchange: Exchange, caller: Caller): Promise<void> {
  const { request, response, planner } = exchange
  const leave = planner.readers.enter(caller.actor)
  response.once('close', leave)
  if (request.method === 'HEAD') throw new ApiError('no-such-method', 'events are read with GET')
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'content-security-policy': DATA_POLICY,
    'x-accel-buffering': 'no',
  })
  response.write(`retry: ${RETRY_MS}\n\n`)
  const last = request.headers['last-event-id']
  const missed = typeof last === 'string' ? planner.feed.since(last) : []
  if (missed === undefined) response.write('event: reset\ndata: {}\n\n')
  for (const event of missed ?? []) response.write(printed(event))
  follow(exchange, caller)
}

function follow({ response, planner }: Exchange, caller: Caller): void {
  const say = (reason: Farewell) => {
    stop()
    response.end(`event: bye\ndata: ${JSON.stringify({ reason })}\n\n`)
    if (reason === 'slow') endSoon(response)
  }
  const stopListening = planner.feed.listen({
    event(event) {
      if (response.writableLength > MOST_UNREAD_BYTES) say('slow')
      else response.write(printed(event))
    },
    end: () => say('leaving'),
  })
  const heartbeat = setInterval(() => {
    void caller.isStillKnown().then(
      (isKnown) => {
        if (response.writableEnded) return
        if (!isKnown) say('session')
        else if (response.writableLength > MOST_UNREAD_BYTES) say('slow')
        else response.write(': here\n\n')
      },
      () => {},
    )
  }, HEARTBEAT_MS)
  heartbeat.unref()
  const stop = () => {
    clearInterval(heartbeat)
    stopListening()
  }
  response.once('close', stop)
}

const FAREWELL_MS = 2_000

/** Who does not read will not read the farewell either; its buffer is not kept for it. */
function endSoon(response: ServerResponse): void {
  setTimeout(() => response.destroy(), FAREWELL_MS).unref()
}

function printed({ id, kind, data }: FeedEvent): string {
  return `id: ${id}\nevent: ${kind}\ndata: ${data}\n\n`
}
