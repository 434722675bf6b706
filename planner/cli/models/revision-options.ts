import { z } from 'zod'

/** `2`, or a tag. */
export const revisionInput = z
  .string()
  .regex(/^(\d{1,9}|[A-Za-z][\w.-]{0,31})$/, 'is neither the number of a revision nor a tag')
  .transform((text) => (/^\d/.test(text) ? Number(text) : text))

/** `stable,before-summer` */
export const tagsInput = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((word) => word !== ''))
  .pipe(
    z.array(
      z
        .string()
        .regex(/^[A-Za-z][\w.-]{0,31}$/, 'a tag begins with a letter: letters, digits, _ . -'),
    ),
  )

/** `90%` or `0.9`. */
export const metricValueInput = z.string().transform((text, context) => {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim()) ?? []
  if (number !== undefined) return percent === '%' ? Number(number) / 100 : Number(number)
  context.addIssue({ code: 'custom', message: `"${text}" is no value: write e.g. 90% or 0.9` })
  return z.NEVER
})
