import { z } from 'zod'
import { UsageError } from './errors.ts'

/** What groups devices: `site` → `hall-2`. Whoever names a device says them: its operator, or its own settings. */
export type Labels = Readonly<Record<string, string>>

/** Ends with no hyphen: `site-` on a command line takes the label away. */
const KEY = /^[A-Za-z](?:[\w.-]{0,61}\w)?$/
/** Nothing that a selector reads as its own: no comma, ampersand, bracket, equals or exclamation mark, no space. */
const VALUE = /^\w[\w.+/:-]{0,62}$/

/** Labels of one device that one of both may say. */
export const MOST_LABELS = 32

export const labelKeySchema = z.string().regex(KEY)
export const labelValueSchema = z.string().regex(VALUE)
export const labelsSchema = z
  .record(labelKeySchema, labelValueSchema)
  .refine((labels) => Object.keys(labels).length <= MOST_LABELS, `at most ${MOST_LABELS} labels`)

/** Facts of a device that selectors know by these names: no label may be called so. */
export const FACT_NAMES = ['device', 'class', 'state', 'agent', 'runtime', 'board'] as const

/** `site=hall-2` → key and value. @throws UsageError */
export function parseLabel(text: string): readonly [key: string, value: string] {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? []
  requireKey(key, text)
  if (!VALUE.test(value)) {
    throw new UsageError(
      `"${value}" in "${text}" is no value of a label: letters, digits and _ . + / : - up to 63, e.g. site=hall-2`,
    )
  }
  return [key, value]
}

/** @throws UsageError where no label can be called so */
export function requireKey(key: string, text: string): void {
  if (!KEY.test(key)) {
    throw new UsageError(`"${text}" is no label: write KEY=VALUE, e.g. site=hall-2`)
  }
  if ((FACT_NAMES as readonly string[]).includes(key)) {
    throw new UsageError(
      `${key} is what the fleet knows of a device by itself: call the label otherwise`,
    )
  }
}

/** `line=a site=hall-2`, by key. */
export function printLabels(labels: Labels): string {
  return Object.entries(labels)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
}
