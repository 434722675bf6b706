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

/** 0.4213 → `0.421 ms`: three significant digits. */
export function formatMs(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`
}

/** 0.9571 → `95.7 %`. */
export function formatPercent(fraction: number, digits = 1): string {
  return `${(fraction * 100).toFixed(digits)} %`
}

/** 0.57 → `0.57×`. */
export function formatRatio(ratio: number): string {
  return `${ratio.toFixed(2)}×`
}
