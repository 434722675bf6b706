/** Of one answer: about a fifth of a small model's memory. */
export const MOST_CHARACTERS = 48 * 1024

interface Bounds {
  readonly items: number
  readonly characters: number
}

/** From what loses little to what surely fits. */
const BOUNDS: readonly Bounds[] = [
  { items: 100, characters: 4000 },
  { items: 30, characters: 1000 },
  { items: 10, characters: 400 },
  { items: 3, characters: 200 },
  { items: 1, characters: 80 },
]

/** JSON of at most `MOST_CHARACTERS`: lists and texts that are too long end in how much more there is. */
export function bounded(value: unknown): string {
  for (const bounds of BOUNDS) {
    const text = JSON.stringify({ shortened: true, answer: within(value, bounds) })
    if (text.length <= MOST_CHARACTERS) return text
  }
  return JSON.stringify({ shortened: true, answer: 'too long to be told: ask for less' })
}

function within(value: unknown, bounds: Bounds): unknown {
  if (typeof value === 'string') return shorter(value, bounds.characters)
  if (Array.isArray(value)) {
    const kept = value.slice(0, bounds.items).map((one) => within(one, bounds))
    const more = value.length - kept.length
    return more > 0 ? [...kept, `… ${more} more`] : kept
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, within(one, bounds)]))
}

function shorter(text: string, most: number): string {
  const more = text.length - most
  return more > 0 ? `${text.slice(0, most)}… ${more} characters more` : text
}
