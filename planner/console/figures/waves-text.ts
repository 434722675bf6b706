/** One condition of a selector, as the API takes it. */
export interface Term {
  readonly op: 'in' | 'not-in'
  readonly key: string
  readonly values: readonly string[]
}

export type WaveWish =
  | { readonly count: number }
  | { readonly share: number }
  | { readonly where: readonly Term[] }

/** What was typed, or one line on what is wrong with it. */
export type Typed<T> = { readonly value: T } | { readonly problem: string }

/** `1,10%,site=pilot,100%`; the planner checks the rest. */
export function typedWaves(text: string): Typed<readonly WaveWish[]> {
  const waves: WaveWish[] = []
  for (const word of text.split(',').map((each) => each.trim())) {
    const wave = waveOf(word)
    if (wave === undefined) {
      return { problem: `“${word}” is neither a number of devices, a percentage nor key=value` }
    }
    waves.push(wave)
  }
  const last = waves.at(-1)
  const reachesAll = last !== undefined && 'share' in last && last.share === 1
  return reachesAll
    ? { value: waves }
    : { problem: 'the last wave is 100%: it reaches every device' }
}

function waveOf(word: string): WaveWish | undefined {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(word) ?? []
  if (number !== undefined) {
    const value = Number(number)
    if (value <= 0 || (percent === '%' && value > 100)) return undefined
    if (percent === '%') return { share: value / 100 }
    return Number.isInteger(value) ? { count: value } : undefined
  }
  const term = termOf(word)
  return term && { where: [term] }
}

/** `site=hall-2, line!=3`; nothing typed is no condition. */
export function typedSelector(text: string): Typed<readonly Term[]> {
  const terms: Term[] = []
  for (const word of text.split(/[,&]/).map((each) => each.trim())) {
    if (word === '') continue
    const term = termOf(word)
    if (term === undefined) return { problem: `“${word}” is not key=value or key!=value` }
    terms.push(term)
  }
  return { value: terms }
}

function termOf(word: string): Term | undefined {
  const [, key, not, value] = /^([A-Za-z][\w.-]*) *(!?)= *(\S+)$/.exec(word) ?? []
  if (key === undefined || value === undefined) return undefined
  return { op: not === '!' ? 'not-in' : 'in', key, values: [value] }
}
