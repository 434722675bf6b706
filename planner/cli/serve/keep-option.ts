import { z } from 'zod'
import { DEFAULT_RETENTION, type Retention } from '../../conductor/index.ts'
import { COUNTED_KINDS, KEPT_KINDS, type Keeping, type KeptKind } from '../../storage/index.ts'
import type { CliOption } from '../program/command.ts'

export const keepOption: CliOption = {
  flags: '--keep <ages>',
  description:
    "how long what grows with time is kept, and how many rows of it, e.g. 'audit=1000d/500000,orders=30d'",
}

/** `audit=1000d/500000,orders=30d` → what is kept, of each kind. */
export const keepInput = z.string().transform((text, context): Retention => {
  const kept: Record<KeptKind, Keeping> = { ...DEFAULT_RETENTION }
  for (const part of text.split(',')) {
    const [, kind = '', days, rows] =
      /^\s*([a-z]+)=(\d{1,5})d(?:\/(\d{1,12}))?\s*$/.exec(part) ?? []
    const known = KEPT_KINDS.find((one) => one === kind)
    if (known === undefined || Number(days) === 0) {
      const kinds = KEPT_KINDS.join(', ')
      const message = `"${part}" does not say what is kept for how long: write e.g. audit=1000d/500000; there are ${kinds}`
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
    if (rows !== undefined && !COUNTED_KINDS.has(known)) {
      const message = `of ${known} only the age can be said: write ${known}=${days}d`
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
    kept[known] = { days: Number(days), rows: rows === undefined ? kept[known].rows : Number(rows) }
  }
  return kept
})
