import { z } from 'zod'
import { openWord } from './open-words.ts'
import { BASE_SCHEMES, parseScheme } from './schemes.ts'

/** Apart from the schemes, which need no parser of messages. */
export const schemeNameSchema = z.string().refine((name) => {
  try {
    parseScheme(name)
    return true
  } catch {
    return false
  }
}, 'not a scheme name')

/** For those who only pass the name on. */
export const anySchemeNameSchema = openWord(Object.keys(BASE_SCHEMES))
