import { z } from 'zod'
import type { Role } from '../../identity/index.ts'
import { pageOf, pagingShape } from './paging.ts'

/** What goes into an operation of the planner, what comes out, and who may. */
export interface Operation {
  readonly role: Role
  readonly input: z.ZodObject
  readonly output: z.ZodType
  /** Of a list: what one entry is; `output` is a page of them. */
  readonly item?: z.ZodType
}

export const nothing = z.object({})

/** An operation that answers many, page by page. */
export function list<Item extends z.ZodType, Filters extends z.ZodRawShape>(
  role: Role,
  item: Item,
  filters: Filters,
) {
  return {
    role,
    item,
    input: z.object({ ...filters, ...pagingShape }),
    output: pageOf(item),
  } as const
}
