/** Pages of the console with the paths that lead to them; `:name` stands for one part of a path. */
export const PLACES = {
  fleet: '/fleet',
  device: '/devices/:device',
  models: '/models',
  newModel: '/add-model',
  model: '/models/:model',
  compare: '/models/:model/compare',
  newRollout: '/models/:model/roll-out',
  rollouts: '/rollouts',
  rollout: '/rollouts/:rollout',
  health: '/health',
  audit: '/audit',
  keys: '/keys',
  settings: '/settings',
} as const
export type PlaceName = keyof typeof PLACES

export interface Place {
  readonly name: PlaceName
  readonly named: Readonly<Record<string, string>>
}

/** The page of a path; undefined where there is none. */
export function placeOf(path: string): Place | undefined {
  const parts = partsOf(path)
  for (const [name, pattern] of Object.entries(PLACES)) {
    const named = matched(partsOf(pattern), parts)
    if (named) return { name: name as PlaceName, named }
  }
  return undefined
}

/** The path of a page, with whatever names are in it made safe. */
export function pathTo(name: PlaceName, named: Readonly<Record<string, string>> = {}): string {
  const path = PLACES[name].replace(/:(\w+)/g, (_, key: string) =>
    encodeURIComponent(named[key] ?? ''),
  )
  return path
}

/** With the query's empty values left out: links stay short. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): string {
  const said = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(said as [string, string][]).toString()
  return text === '' ? path : `${path}?${text}`
}

function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '')
}

function matched(
  pattern: readonly string[],
  parts: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined
  const named: Record<string, string> = {}
  for (const [at, word] of pattern.entries()) {
    const part = parts[at] ?? ''
    if (!word.startsWith(':')) {
      if (word !== part) return undefined
      continue
    }
    const value = decoded(part)
    if (value === undefined) return undefined
    named[word.slice(1)] = value
  }
  return named
}

/** A hand-made link may hold a percent sign that begins nothing. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
