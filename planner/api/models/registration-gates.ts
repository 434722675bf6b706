import type { Finding } from '../../../shared/findings.ts'
import { lossOf, metricName } from '../../../shared/metrics/index.ts'
import { formatPercent } from '../../../shared/units.ts'
import { points } from '../../selection/index.ts'
import type { Model } from '../../storage/index.ts'
import type { ModelFacts, Quality } from '../../variants/index.ts'
import type { OperationInput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'

/** What is known of a model that asks to be registered. */
interface Applicant {
  readonly facts: ModelFacts
  readonly quality: Quality
  /** Digest of its test data. */
  readonly test: string | null
  /** Most accuracy that it may lose against the revision in use, as a share. */
  readonly maxRegression: number
  /** Least that it must reach, in the metric's own unit. */
  readonly minMetric: number | null
}

const MAX_REGRESSION = 0.02

/** The revision that devices run now, as far as there is one. */
type InUse = Pick<Model, 'revision' | 'test' | 'reference'>

/** Answers why a model is refused; undefined where this gate lets it through. */
type Gate = (applicant: Applicant, inUse: InUse | undefined) => string | undefined

const GATES: Readonly<Record<string, Gate>> = {
  finite: ({ quality: { notFinite, samples } }) =>
    notFinite > 0
      ? `the float model answers ${notFinite} times NaN or infinity over ${samples} samples: its weights are broken, or its inputs are not what it was trained on`
      : undefined,
  floor: ({ quality, minMetric }) => (minMetric === null ? undefined : below(quality, minMetric)),
  regression: (applicant, inUse) =>
    inUse && applicant.test === inUse.test ? regression(applicant, inUse) : undefined,
}

interface Admitted {
  readonly findings: readonly Finding[]
  /** What spoke against it, and why that was overruled. */
  readonly forced?: { readonly against: readonly string[]; readonly reason: string }
}

/** @throws ApiError `gate-refused` where something speaks against it that nobody overrules */
export function admit(
  { test, maxRegression, minMetric, force }: OperationInput<'models.add'>,
  prepared: { readonly facts: ModelFacts; readonly wholeQuality: Quality },
  inUse: InUse | undefined,
): Admitted {
  const applicant = {
    facts: prepared.facts,
    quality: prepared.wholeQuality,
    test: test?.digest ?? null,
    maxRegression: maxRegression ?? MAX_REGRESSION,
    minMetric: minMetric ?? null,
  }
  const against = Object.values(GATES).flatMap((gate) => gate(applicant, inUse) ?? [])
  const findings = warnings(applicant, inUse)
  if (against.length === 0) return { findings }
  if (force == null)
    throw new ApiError(
      'gate-refused',
      `${against.join('; ')}. To register it all the same: --force 'the reason, for the audit'`,
    )
  const overruled = against.map(
    (message): Finding => ({ code: 'gate-forced', severity: 'warning', message }),
  )
  return { findings: [...findings, ...overruled], forced: { against, reason: force } }
}

/** What the operator should know and may have meant so. */
function warnings(applicant: Applicant, inUse: InUse | undefined): readonly Finding[] {
  const warn = (code: string, message: string | undefined): Finding[] =>
    message === undefined ? [] : [{ code, severity: 'warning', message }]
  const lost = inUse && applicant.test !== inUse.test ? regression(applicant, inUse) : undefined
  return [
    ...warn('regression-on-other-data', lost && `${lost}; but on other test data`),
    ...warn('worse-than-chance', worseThanChance(applicant)),
  ]
}

/** Of a metric where less is better, the least is the most. */
function below({ metric, accuracy }: Quality, least: number): string | undefined {
  const value = metric === undefined ? accuracy : metric.value
  const what = metric === undefined ? 'accuracy' : metricName(metric)
  const shown = (number: number) =>
    metric?.unit === 'number' ? String(Number(number.toPrecision(4))) : formatPercent(number)
  if (value === null)
    return `${what} is not known: without labels nothing says whether it reaches ${shown(least)}`
  const isLess = metric?.direction === 'lower' ? value > least : value < least
  if (!isLess) return undefined
  const side = metric?.direction === 'lower' ? 'more' : 'less'
  return `${what} is ${shown(value)}: ${side} than the ${shown(least)} that --min-metric asks for`
}

function regression(
  { quality, maxRegression }: Applicant,
  { revision, reference }: InUse,
): string | undefined {
  const compared = comparable(quality, reference.wholeQuality)
  if (compared === undefined || compared.lost <= maxRegression) return undefined
  const { what, before, now } = compared
  return `${what} goes from ${formatPercent(before)} of revision ${revision}, which is in use, to ${formatPercent(now)}: more than ${points(maxRegression)} worse`
}

/** The same share of both: the metric where both were judged by it, else accuracy; undefined where there is none. */
function comparable(now: Quality, before: Quality) {
  const [mine, theirs] = [now.metric, before.metric]
  if (mine === undefined && theirs === undefined) {
    if (now.accuracy === null || before.accuracy === null) return undefined
    const lost = before.accuracy - now.accuracy
    return { what: 'accuracy', before: before.accuracy, now: now.accuracy, lost }
  }
  if (mine?.text !== theirs?.text || mine?.value == null || theirs?.value == null) return undefined
  // Of what is no share nobody can say how much is too much.
  if (mine.unit === 'number') return undefined
  const lost = lossOf(mine, theirs.value, mine.value)
  return { what: metricName(mine), before: theirs.value, now: mine.value, lost }
}

/** Of as many classes as the first output has places. */
function worseThanChance({ facts, quality }: Applicant): string | undefined {
  const { accuracy, accuracyCi95 } = quality
  const classes = facts.outputs[0]?.shape.at(-1) ?? 0
  if (accuracy === null || accuracyCi95 === null || classes < 2 || accuracyCi95[1] >= 1 / classes)
    return undefined
  return `accuracy ${formatPercent(accuracy)} is less than guessing one of ${classes} classes: do the labels belong to this model, and count from 0?`
}
