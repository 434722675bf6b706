import type { z } from 'zod'
import { closeSession, openSession } from '../../identity/index.ts'
import { audit } from '../../storage/index.ts'
import { ApiError, ShapeError } from '../contract/errors.ts'
import { logInSchema, type SessionView } from '../contract/session-views.ts'
import { type Caller, callerOf, NOBODY, secretIn } from './callers.ts'
import type { Exchange } from './exchange.ts'
import { sendJson } from './replies.ts'
import { jsonIn, textOf } from './requests.ts'
import { cookieSecretOf, refuseOtherSites, setCookie } from './session-cookie.ts'

type Method = 'GET' | 'POST' | 'DELETE'

/** The session of a page: opened by a token, which the page need not keep. */
export async function answerSession(exchange: Exchange): Promise<void> {
  await ANSWERS[exchange.asked.method as Method](exchange)
}

const ANSWERS: Readonly<Record<Method, (exchange: Exchange) => Promise<void>>> = {
  async GET({ request, response, channel, planner }) {
    const caller = await callerOf(request, channel, planner.conductor.context)
    sendJson(request, response, { status: 200, body: JSON.stringify(viewOf(caller)) })
  },

  async POST({ request, response, channel, planner }) {
    refuseForeignPages(request.headers, () => refuseOtherSites(request))
    const { token } = logInOf(await textOf(request))
    const { db, now } = planner.conductor.context
    const secret = secretIn(token.replace(/\s+/g, ''))
    const session = await openSession(db, secret, now())
    if (session === undefined) throw new ApiError('not-known', NOBODY)
    const actor = `operator:${session.name}`
    const entry = { actor, action: 'session.opened', subject: session.name, detail: {} }
    await audit.writeAudit(db, entry, now())
    const life = Math.floor((session.expiresAt.getTime() - now().getTime()) / 1000)
    response.setHeader('set-cookie', setCookie(session.secret, life, channel))
    const view: SessionView = {
      ...{ actor, name: session.name, role: session.role },
      expiresAt: session.expiresAt.toISOString(),
    }
    sendJson(request, response, { status: 201, body: JSON.stringify(view) })
  },

  async DELETE({ request, response, channel, planner }) {
    const secret = cookieSecretOf(request, channel)
    if (secret !== undefined) {
      refuseOtherSites(request)
      await closeSession(planner.conductor.context.db, secret)
    }
    response.setHeader('set-cookie', setCookie('', 0, channel))
    response.writeHead(204)
    response.end()
  },
}

/** A page of another site must not log anybody in; who is no browser says nothing of sites. */
function refuseForeignPages(
  headers: { readonly origin?: string | undefined; readonly 'sec-fetch-site'?: unknown },
  refuse: () => void,
): void {
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) refuse()
}

function viewOf({ actor, role, expiresAt }: Caller): SessionView {
  const name = actor.slice(actor.indexOf(':') + 1)
  return { actor, name, role, expiresAt: expiresAt?.toISOString() ?? null }
}

function logInOf(text: string): z.infer<typeof logInSchema> {
  const parsed = logInSchema.safeParse(jsonIn(text))
  if (parsed.success) return parsed.data
  throw new ShapeError('session', [
    { path: 'token', message: 'the token of fitment operators add' },
  ])
}
