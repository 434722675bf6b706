const STEPS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** 98496 → `96.2 KiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let step = 0
  while (value >= 1024 && step < STEPS.length - 1) {
    value /= 1024
    step += 1
  }
  return step === 0 ? `${bytes} B` : `${value.toFixed(1)} ${STEPS[step]}`
}

/** `64 MiB`, `200KB`, `1048576` → bytes; KB, MB and GB count in thousands. Undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text)
  const factor = FACTORS[(match?.[2] ?? '').toLowerCase()]
  if (!match || factor === undefined) return undefined
  const bytes = Math.round(Number(match[1]) * factor)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1000 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1000 ** 3,
}

/** 0.4213 → `0.421 ms`: three significant digits. */
export function formatMs(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`
}

/** 0.9571 → `95.7 %`. */
/** `9 CONV_2D, 3 ADD`, the most of them first. */
export function formatCounts(
  counts: Readonly<Record<string, number>>,
  most = Number.POSITIVE_INFINITY,
): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}

export function formatPercent(fraction: number, digits = 1): string {
  return `${(fraction * 100).toFixed(digits)} %`
}

/** 0.57 → `0.57×`. */
export function formatRatio(ratio: number): string {
  return `${ratio.toFixed(2)}×`
}

const DURATIONS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A century: a longer time is a mistake, and dates end some day. */
const LONGEST_MS = 36_525 * DURATIONS.d

/** `2h`, `90s`, `1.5d` → ms. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim())
  const ms = match ? Number(match[1]) * DURATIONS[match[2] as keyof typeof DURATIONS] : Number.NaN
  return ms <= LONGEST_MS ? ms : undefined
}

/** 7200000 → `2h`: the largest unit of which there is one. */
export function formatDuration(ms: number): string {
  const units = Object.entries(DURATIONS).reverse()
  const [unit, length] = units.find(([, each]) => ms >= each) ?? ['ms', 1]
  return `${Number((ms / length).toFixed(1))}${unit}`
}
