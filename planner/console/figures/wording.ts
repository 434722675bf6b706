/** How far back a moment is, in the largest unit that fits: `3 min`, `2 d`. */
export function ago(at: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000)
  const [unit, length] = UNITS.find(([, each]) => seconds >= each) ?? ['s', 1]
  return `${Math.floor(seconds / length)} ${unit}`
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const

/** 9812 → `9 812`, with a space that does not break: numbers in columns keep their places. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u00a0')
}

/** `2 devices`, `1 device`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** 2026-11-29T21:40:12.000Z → `2026-11-29 21:40:12`, in UTC as logs have it. */
export function moment(at: string): string {
  return at.slice(0, 19).replace('T', ' ')
}

/** The first digits of a digest say enough. */
export function short(digest: string): string {
  return digest.slice(0, 10)
}
