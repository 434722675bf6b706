import { digestOf } from '../../shared/digest.ts'

/** As long as hawkBit takes a name. */
const MOST_CHARACTERS = 128
const PREFIX = 'fitment'

/** A name of ours at hawkBit; one that is too long is cut, and told from its like by its digest. */
export function named(...words: readonly string[]): string {
  const whole = [PREFIX, ...words].join(' ')
  if (whole.length <= MOST_CHARACTERS) return whole
  return `${whole.slice(0, MOST_CHARACTERS - 13)}~${digestOf(whole).slice(0, 12)}`
}

/** A value in FIQL, whatever is in it. */
export function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

/** The target tag of a class. */
export function tagOf(className: string): string {
  return named(className)
}

/** Which targets are of a class, unless it is told otherwise: those known here, and those that say so themselves. */
export function usualTargets(className: string): string {
  return `tag==${quoted(tagOf(className))} or attribute.fitment_class==${quoted(className)}`
}

/** `20261207T123000Z` */
export function compactTime(iso: string): string {
  return `${iso.slice(0, 19).replace(/[-:]/g, '')}Z`
}

/** The moment of a version such as `1a2b3c4d.until.20261207T123000Z`; `undefined` for none of ours. */
export function untilOf(version: string): Date | undefined {
  const match = /\.until\.(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(version)
  if (match === null) return undefined
  const [, year, month, day, hours, minutes, seconds] = match
  return new Date(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`)
}
