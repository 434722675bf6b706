import { z } from 'zod'
import { ApiError } from './errors.ts'

/** Most items of one page, and how many where nobody says. */
export const MOST_ITEMS = 500
export const USUAL_ITEMS = 100

/** What every list can be asked for besides its filters. */
export const pagingShape = {
  limit: z.number().int().min(1).max(MOST_ITEMS).optional(),
  /** `next` of the page before. */
  cursor: z.string().max(512).optional(),
}

export interface Paging {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface Page<Item> {
  readonly items: Item[]
  /** Where the next page begins; null: this was the last. */
  readonly next: string | null
  /** Of all pages, with the filters that were asked; null where counting would cost more than the page. */
  readonly total: number | null
}

export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable(),
    total: z.number().int().nullable(),
  })
}

/** Where a page begins, in words that nobody but the planner that wrote them reads. */
export function printCursor(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** @throws ApiError `malformed` for what no page ended with */
export function parseCursor<Place extends z.ZodType>(
  schema: Place,
  cursor: string,
): z.output<Place> {
  const parsed = schema.safeParse(placeIn(cursor))
  if (parsed.success) return parsed.data
  throw new ApiError(
    'malformed',
    'the cursor is none of this list: begin without one, then give back "next"',
  )
}

function placeIn(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}

/** Of one more than were asked for: the page, and where the next begins, if there is one. */
export function cutAt<Item>(
  found: readonly Item[],
  limit: number,
  placeOf: (last: Item) => readonly (string | number)[],
): { readonly shown: readonly Item[]; readonly next: string | null } {
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  const isMore = found.length > limit && last !== undefined
  return { shown, next: isMore ? printCursor(placeOf(last)) : null }
}

const offsetSchema = z.tuple([z.number().int().nonnegative()])

/** A page of what is there whole: lists that stay short however large the fleet. */
export function pageIn<Item>(
  all: readonly Item[],
  { limit = USUAL_ITEMS, cursor }: Paging,
): Page<Item> {
  const [from] = cursor === undefined ? [0] : parseCursor(offsetSchema, cursor)
  const end = from + limit
  return {
    items: all.slice(from, end),
    next: end < all.length ? printCursor([end]) : null,
    total: all.length,
  }
}
