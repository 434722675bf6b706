import { z } from 'zod'
import { UsageError } from '../errors.ts'

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Day = (typeof DAYS)[number]

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/

/**
 * Hours in which devices may switch. `from` and `to` are times of the wall where the device stands; where `to` is not
 * later than `from` it is of the next day. `days` are those on which it begins.
 */
export const windowSchema = z
  .object({
    days: z.array(z.enum(DAYS)).min(1).max(7),
    from: z.string().regex(TIME),
    to: z.string().regex(TIME),
    /** IANA name; null: the device's own zone. */
    zone: z.string().max(64).nullable(),
  })
  .refine(({ from, to }) => from !== to, 'a window that ends when it begins never opens')
export type Window = z.infer<typeof windowSchema>

/** `mon-fri`, `sat,sun`, `mon-wed,sun`, `daily`. @throws UsageError */
export function parseDays(text: string): readonly Day[] {
  if (text.trim() === 'daily') return DAYS
  const chosen = new Set<Day>()
  for (const word of text.split(',').map((part) => part.trim())) {
    const [first = '', last = first] = word.split('-')
    const [from, to] = [dayAt(first), dayAt(last)]
    if (from < 0 || to < 0 || word.split('-').length > 2) {
      throw new UsageError(`"${word}" in "${text}" is no day: write e.g. mon-fri, sat,sun or daily`)
    }
    for (let at = from; ; at = (at + 1) % DAYS.length) {
      chosen.add(DAYS[at] as Day)
      if (at === to) break
    }
  }
  return DAYS.filter((day) => chosen.has(day))
}

function dayAt(word: string): number {
  return (DAYS as readonly string[]).indexOf(word)
}

/** @throws UsageError for what the IANA database does not know */
export function requireZone(zone: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return zone
  } catch {
    throw new UsageError(`"${zone}" is no time zone: write e.g. Europe/Berlin or UTC`)
  }
}

export function printWindow({ days, from, to, zone }: Window): string {
  const when = days.length === DAYS.length ? 'daily' : days.join(',')
  return `${when} ${from}–${to} ${zone ?? 'where the device stands'}`
}
