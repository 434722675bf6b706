import { userInfo } from 'node:os'
import { parseOperatorToken } from '../../shared/identity/index.ts'
import type { PlannerClient, Role } from '../api/index.ts'

/** As long as a session of the console lasts. */
const LINK_DAYS = 0.5

export interface ConsoleLink {
  /** Signs in whoever follows it: not for others. */
  readonly link: string
  readonly role: Role
  /** ISO 8601. */
  readonly until: string
}

/**
 * A link that signs in at the console: a short-lived token of an operator, behind `#`, so that it is in no request
 * for a page and in no log. @param path of the page, e.g. `/models/motor`
 * @throws RemoteError `no-listener` where no browser can reach the planner
 */
export async function consoleLink(
  planner: PlannerClient,
  { role, path }: { readonly role: Role; readonly path: string },
): Promise<ConsoleLink> {
  const name = `console-${userName()}`
  const made = await planner.call('operators.add', { name, role, days: LINK_DAYS })
  const until = new Date(Date.now() + LINK_DAYS * 86_400_000).toISOString()
  return { link: linkWith(made.token, path), role, until }
}

/** The same with a token that is there already. @throws IdentityError `malformed-token` */
export function linkWith(token: string, path: string): string {
  const page = new URL(path, parseOperatorToken(token).planner)
  page.hash = `token=${token}`
  return page.href
}

function userName(): string {
  try {
    return userInfo()
      .username.replace(/[^\w.-]/g, '_')
      .slice(0, 32)
  } catch {
    return 'unknown'
  }
}
