import { OPERATIONS, type PlannerClient, readQueryInput } from '../../api/index.ts'
import { bounded, MOST_CHARACTERS } from './bounded.ts'
import type { Tool } from './tools.ts'

/** Of a list where the caller does not say: a model reads on if it wants more. */
const USUAL_ITEMS = 25

/** @throws z.ZodError, UsageError for arguments of another shape */
export function toolInput({ asks }: Tool, given: Readonly<Record<string, unknown>>): object {
  const isList = 'item' in OPERATIONS[asks]
  return readQueryInput(asks, isList ? { limit: USUAL_ITEMS, ...given } : given)
}

/**
 * The operation's answer as JSON, of bounded length: a list has fewer entries and says where the next begin, anything
 * else is shortened where it is longest, and says where.
 * @throws as `PlannerClient.ask`
 */
export async function askTool(
  planner: PlannerClient,
  { asks }: Tool,
  input: { readonly limit?: number },
): Promise<string> {
  for (let limit = input.limit; ; ) {
    const asked = limit === undefined ? input : { ...input, limit }
    const answer: unknown = await planner.ask(asks, asked as never)
    const text = JSON.stringify(answer)
    if (text.length <= MOST_CHARACTERS) return text
    if (limit === undefined || limit <= 1) return bounded(answer)
    limit = Math.max(1, Math.floor((0.9 * limit * MOST_CHARACTERS) / text.length))
  }
}
