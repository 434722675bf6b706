import type { z } from 'zod'
import { parseJson } from '../../shared/json.ts'
import { KeysError } from './errors.ts'

/** @throws KeysError `malformed-request` */
export function parseKeysFile<T>(schema: z.ZodType<T>, text: string, what: string): T {
  try {
    return parseJson(schema, text)
  } catch (error) {
    throw new KeysError(
      'malformed-request',
      `not ${what}: take the whole file`,
      {},
      { cause: error },
    )
  }
}
