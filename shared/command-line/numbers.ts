import { z } from 'zod'

interface Range {
  readonly least?: number
  readonly most?: number
  /** Instead of `least`: the bound itself is not allowed. */
  readonly above?: number
}

/** Written as people write numbers: no hexadecimals, no `Infinity`, no blank that would count as 0. */
const DECIMAL = /^[+-]?\d{1,20}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?$/i
const WHOLE = /^[+-]?\d{1,16}$/

/** More of a word than this helps nobody to find it. */
const MOST_SHOWN = 40

/** `8` → 8; a file of settings may say it as a number. */
export function wholeNumber(range: Range) {
  return numberOf(WHOLE, 'whole number', range)
}

/** `0.5` or `1e-3` → a finite number. */
export function decimal(range: Range) {
  return numberOf(DECIMAL, 'number', range)
}

function numberOf(form: RegExp, kind: string, range: Range) {
  const { above, least = above ?? Number.NEGATIVE_INFINITY, most = Number.MAX_SAFE_INTEGER } = range
  const isAllowed = (value: number) => value >= least && value <= most && value !== above
  return z.union([z.string(), z.number()]).transform((given, context) => {
    const text = String(given).trim()
    const value = form.test(text) ? Number(text) : Number.NaN
    if (isAllowed(value)) return value
    const shown = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text
    const message = `"${shown}" is no ${kind}${rangeWords(range)}`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
}

function rangeWords({ least, most, above }: Range): string {
  if (least !== undefined)
    return most === undefined ? `, ${least} or more` : ` from ${least} to ${most}`
  const over = above === undefined ? '' : ` above ${above}`
  return most === undefined ? over : `${over}${over && ','} up to ${most}`
}
