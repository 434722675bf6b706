export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels?: Labels
  readonly value: number
  /** Behind the family's name, of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: '_bucket' | '_sum' | '_count'
}

/** Samples of one name. */
export interface Family {
  readonly name: string
  readonly kind: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  readonly samples: readonly Sample[]
}

/** Series of one family; Prometheus keeps each for good. */
const MOST_SAMPLES = 500
/** What the rest is called, in the label that has most values. */
const REST = 'other'

/** @param samples those beyond what a family may have are added up, under `other` */
export function family(
  kind: 'gauge' | 'counter',
  name: string,
  help: string,
  samples: readonly Sample[],
): Family {
  return { kind, name, help, samples: bounded(samples) }
}

function bounded(samples: readonly Sample[]): readonly Sample[] {
  if (samples.length <= MOST_SAMPLES) return samples
  const largestFirst = [...samples].sort((a, b) => b.value - a.value)
  const kept = largestFirst.slice(0, MOST_SAMPLES - 1)
  const names = Object.keys(samples[0]?.labels ?? {})
  const rest = largestFirst.slice(MOST_SAMPLES - 1).reduce((sum, { value }) => sum + value, 0)
  return [...kept, { labels: Object.fromEntries(names.map((name) => [name, REST])), value: rest }]
}

/** Text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function textOf(families: readonly Family[]): string {
  return families
    .map(({ name, kind, help, samples }) => {
      const head = `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${kind}\n`
      return head + samples.map((sample) => lineOf(name, sample)).join('')
    })
    .join('')
}

function lineOf(name: string, { labels = {}, value, suffix }: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${quoted(text)}"`)
  const braces = pairs.length > 0 ? `{${pairs.join(',')}}` : ''
  return `${name}${suffix ?? ''}${braces} ${numberOf(value)}\n`
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
}

function quoted(text: string): string {
  return escaped(text).replace(/"/g, '\\"')
}

function numberOf(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}
