/** 0.0394211 → `0.0394`; never an exponent a reader has to count. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(3)))
}

export function decibels(value: number): string {
  return `${value.toFixed(1)} dB`
}

/** Converters join the names of what they fused; both ends tell most. */
export function shortName(name: string, length = 40): string {
  if (name.length <= length) return name
  const half = Math.floor((length - 1) / 2)
  return `${name.slice(0, half)}…${name.slice(-half)}`
}

export function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path
}
