/** How many devices stand where. */
export interface Standings {
  readonly active: number
  readonly failed: number
  /** Told, and not there yet. */
  readonly moving: number
  /** Counted by no gate: nothing fits them, or what they had was taken back. */
  readonly aside: number
}

export interface WaveProgress extends Standings {
  /** Counted from 1. */
  readonly wave: number
  /** As the operator wrote it: `10%`. */
  readonly text: string
}

interface Count {
  readonly wave: number
  readonly state: string
  readonly devices: number
}

type Standing = keyof Standings

/** States that are not under way. */
const STANDING: Readonly<Record<string, Standing>> = {
  active: 'active',
  'rolled-back': 'failed',
  refused: 'failed',
  failed: 'failed',
  unfit: 'aside',
  reverting: 'aside',
  reverted: 'aside',
  released: 'aside',
}

/** Waves are written with commas between them, outside brackets. */
export function waveTexts(waves: string): readonly string[] {
  return waves.split(/,(?![^(]*\))/).map((text) => text.trim())
}

export function waveProgress(waves: string, counts: readonly Count[]): readonly WaveProgress[] {
  return waveTexts(waves).map((text, index) => {
    const row = { wave: index + 1, text, active: 0, failed: 0, moving: 0, aside: 0 }
    for (const { wave, state, devices } of counts) {
      if (wave === index + 1) row[STANDING[state] ?? 'moving'] += devices
    }
    return row
  })
}

export function allWaves(waves: readonly Standings[]): Standings {
  const sum = (standing: Standing) => waves.reduce((total, wave) => total + wave[standing], 0)
  return {
    active: sum('active'),
    failed: sum('failed'),
    moving: sum('moving'),
    aside: sum('aside'),
  }
}
