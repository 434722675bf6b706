import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { reasonOf, UsageError } from '../../shared/errors.ts'
import { parseJson } from '../../shared/json.ts'
import { readIdentity } from '../identity/index.ts'
import {
  environmentName,
  flagName,
  SETTING_FLAGS,
  type Settings,
  settingsSchema,
} from './settings.ts'

export interface SettingSources {
  /** What the command line said, by key. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Flags before environment before configuration file before what the device was told when it joined.
 * @throws UsageError in one line; IdentityError
 */
export function readSettings({ flags, environment }: SettingSources): Settings {
  const path = flags.config ?? environment.FITMENT_CONFIG
  const file = typeof path === 'string' ? readConfig(path) : {}
  const merged: Record<string, unknown> = { ...file }
  for (const { key } of SETTING_FLAGS) {
    const value = flags[key] ?? environment[environmentName(key)]
    if (value !== undefined && value !== '') merged[key] = value
  }
  const parsed = settingsSchema.safeParse({ ...joinedSettings(merged.stateDir), ...merged })
  if (parsed.success) return parsed.data
  throw new UsageError(problemsOf(parsed.error, merged))
}

function joinedSettings(stateDir: unknown): Partial<Settings> {
  const identity = typeof stateDir === 'string' ? readIdentity(stateDir) : undefined
  if (identity === undefined) return {}
  const { broker, fleet, device, trust } = identity
  return { broker, fleet, device, trust }
}

function readConfig(path: string): Record<string, unknown> {
  try {
    const config = parseJson(z.record(z.string(), z.unknown()), readFileSync(path, 'utf8'))
    const known = new Set<string>(SETTING_FLAGS.map(({ key }) => key))
    const unknown = Object.keys(config).filter((key) => !known.has(key))
    if (unknown.length === 0) return config
    throw new UsageError(
      `no settings of an agent: ${unknown.join(', ')}; known are ${[...known].join(', ')}`,
    )
  } catch (error) {
    throw new UsageError(`cannot use the configuration file ${path}: ${reasonOf(error)}`)
  }
}

function problemsOf(error: z.ZodError, given: Readonly<Record<string, unknown>>): string {
  const keys = [...new Set(error.issues.map((issue) => String(issue.path[0])))]
  const missing = keys.filter((key) => given[key] === undefined).map(flagName)
  const wrong = error.issues
    .filter((issue) => given[String(issue.path[0])] !== undefined)
    .map((issue) => `${flagName(String(issue.path[0]))}: ${issue.message}`)
  const lacking = missing.length > 0 ? [`${missing.join(', ')} must be given`] : []
  return `${[...lacking, ...wrong].join('; ')} (see fitment-agent run --help)`
}
