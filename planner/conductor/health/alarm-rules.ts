import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { isMissing, messageOf } from '../../../shared/errors.ts'
import { DEFAULT_RULES, type Rule, readRules } from '../../health/index.ts'

export const RULES_FILE = 'alarms.json'

/**
 * The rules of the data directory, read anew whenever the file has changed. A file that cannot be used is said once, and
 * the rules before it go on.
 */
export function alarmRulesIn(data: string, log: Logger): () => Promise<readonly Rule[]> {
  const path = join(data, RULES_FILE)
  let rules = DEFAULT_RULES
  let readAt = ''
  return async () => {
    const changed = await stamp(path)
    if (changed === readAt) return rules
    readAt = changed
    try {
      rules = await readRules(path)
    } catch (error) {
      log.error({ path }, `the rules of before go on: ${messageOf(error)}`)
    }
    return rules
  }
}

async function stamp(path: string): Promise<string> {
  try {
    const { mtimeMs, size } = await stat(path)
    return `${mtimeMs} ${size}`
  } catch (error) {
    return isMissing(error) ? 'none' : messageOf(error)
  }
}
