import { MetricError } from './errors.ts'

/** One parameter of a metric: how its text is read, and what holds where it is not given. */
export interface Parameter<T> {
  readonly what: string
  readonly otherwise: T
  /** Undefined where the text is no value. */
  read(text: string): T | undefined
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>
export type Given<P extends Parameters> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never
}

export function word<const W extends string>(words: readonly W[], what: string): Parameter<W> {
  const [otherwise] = words
  return {
    what: `${what}: ${words.join(', ')}`,
    otherwise: otherwise as W,
    read: (text) => words.find((one) => one === text),
  }
}

/** A number from `least` to `most`. */
export function number(
  otherwise: number,
  [least, most]: readonly [number, number],
  what: string,
): Parameter<number> {
  return {
    what: `${what} (${otherwise})`,
    otherwise,
    read: (text) => {
      const value = text.trim() === '' ? Number.NaN : Number(text)
      return value >= least && value <= most ? value : undefined
    },
  }
}

/** Whole numbers, with slashes between. */
export function sizes(otherwise: readonly number[], what: string): Parameter<readonly number[]> {
  return {
    what: `${what} (${otherwise.join('/')})`,
    otherwise,
    read: (text) => {
      const values = text.split('/').map(Number)
      return values.every((value) => Number.isInteger(value) && value > 0) ? values : undefined
    },
  }
}

/** Any text, such as an output's name. */
export function text(what: string): Parameter<string | null> {
  return { what, otherwise: null, read: (given) => (given === '' ? undefined : given) }
}

/** @throws MetricError `bad-parameter` */
export function readParameters(
  metric: string,
  parameters: Parameters,
  given: ReadonlyMap<string, string>,
): Readonly<Record<string, unknown>> {
  for (const key of given.keys()) {
    if (Object.hasOwn(parameters, key)) continue
    const known = Object.entries(parameters).map(([name, { what }]) => `${name} (${what})`)
    throw new MetricError(
      'bad-parameter',
      `metric ${metric} has no parameter "${key}": ${known.length === 0 ? 'it takes none' : `it takes ${known.join('; ')}`}`,
      { metric, key },
    )
  }
  return Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => {
      const written = given.get(name)
      const value = written === undefined ? parameter.otherwise : parameter.read(written)
      if (value !== undefined) return [name, value]
      throw new MetricError(
        'bad-parameter',
        `"${written}" is no ${name} of metric ${metric}: ${parameter.what}`,
        { metric, name },
      )
    }),
  )
}

/** @throws MetricError `bad-parameter` */
export function keysOf(metric: string, pairs: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at > 0) return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
      throw new MetricError(
        'bad-parameter',
        `"${pair}" of metric ${metric} is not key=value: write e.g. map,layout=yolox,nms=0.65`,
        { pair },
      )
    }),
  )
}
