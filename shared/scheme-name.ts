import { z } from 'zod'
import { parseScheme } from './schemes.ts'

/** Apart from the schemes, which need no parser of messages. */
export const schemeNameSchema = z.string().refine((name) => {
  try {
    parseScheme(name)
    return true
  } catch {
    return false
  }
}, 'not a scheme name')
