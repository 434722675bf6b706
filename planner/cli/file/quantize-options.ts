import { z } from 'zod'
import { decimal } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { readMetric } from '../../../shared/metrics/index.ts'
import {
  type AccuracyBudget,
  type OperatorSelector,
  parseSelector,
  type QuantizeOptions,
  RANGE_NAMES,
  RECOVERY_NAMES,
  SOURCE_TREATMENTS,
  SPARING_NAMES,
  USUAL_RECOVERY,
} from '../../quantizer/index.ts'
import type { CliOption } from '../program/command.ts'
import { type folderInput, readData } from './data-options.ts'
import { METRIC_OPTION } from './metric-option.ts'

/** How `quantize` may be told to work, beyond its scheme: flags, and what their text becomes. */
export const QUANTIZE_OPTIONS: readonly CliOption[] = [
  {
    flags: '--ranges <method>',
    description: `how ranges are found: auto (the method with the least error, for each tensor), ${RANGE_NAMES.join(', ')}`,
  },
  {
    flags: '--recovery <methods>',
    description: `ways to win accuracy back, by commas: ${RECOVERY_NAMES.join(', ')}; or all, or none (default: ${USUAL_RECOVERY.join(', ')}; the others where much noise is left)`,
  },
  {
    flags: '--keep-float <selectors>',
    description:
      'operators to leave in float, by commas: a name, kind:softmax, or pattern:^head/; the scheme then ends in -mixed',
  },
  {
    ...METRIC_OPTION,
    description: `${METRIC_OPTION.description} (default: top-1 with labels, else agreement)`,
  },
  {
    flags: '--max-drop <points>',
    description:
      'leave operators in float, the most harmful for their cost first, until the metric loses no more than this (of other numbers than shares: per cent); Ctrl-C writes the best so far',
  },
  { flags: '--max-accuracy-drop <points>', description: 'the same, by its older name' },
  {
    flags: '--min-metric <value>',
    description:
      'write nothing unless the metric reaches this (or stays below, where less is better)',
  },
  {
    flags: '--test <path>',
    description: 'labelled samples to hold that on (without: on calibration samples)',
  },
  {
    flags: '--min-sqnr <dB>',
    description:
      'write nothing unless every output reaches this on held-out samples, and no part of one died',
  },
  {
    flags: '--sources <treatment>',
    description: `numbers that the source stores quantized already: ${SOURCE_TREATMENTS.join(', ')}`,
  },
  {
    flags: '--prune <share>',
    description:
      'first make this share of the weights zero, e.g. 0.5: a smaller download, no speed',
  },
  {
    flags: '--cluster <n>',
    description: 'first let the weights of a layer have only n values, e.g. 16: the same',
  },
  {
    flags: '--compress-also <layers>',
    description: `layers that both spare by default, by commas: ${SPARING_NAMES.join(', ')}`,
  },
]

const words = z.string().transform((list) => list.split(',').map((word) => word.trim()))

const recovery = z
  .string()
  .transform((list): string[] => {
    if (list === 'none') return []
    return list === 'all' ? RECOVERY_NAMES : list.split(',').map((word) => word.trim())
  })
  .pipe(z.array(z.enum(RECOVERY_NAMES)))

const selectors = words.transform((list, context): OperatorSelector[] =>
  list.flatMap((text) => {
    const selector = parseSelector(text)
    if (typeof selector !== 'string') return selector
    context.addIssue({ code: 'custom', message: selector })
    return []
  }),
)

export const quantizeOptionsShape = {
  ranges: z.enum(['auto', ...RANGE_NAMES]).optional(),
  recovery: recovery.optional(),
  keepFloat: selectors.optional(),
  metric: z.string().optional(),
  maxDrop: decimal({ least: 0 }).optional(),
  maxAccuracyDrop: decimal({ least: 0, most: 100 }).optional(),
  minMetric: decimal({}).optional(),
  test: z.string().optional(),
  minSqnr: decimal({}).optional(),
  sources: z.enum(SOURCE_TREATMENTS).optional(),
  prune: decimal({}).optional(),
  cluster: decimal({}).optional(),
  compressAlso: words.pipe(z.array(z.enum(SPARING_NAMES))).optional(),
}

type Given = z.output<z.ZodObject<typeof quantizeOptionsShape & typeof folderInput>>

/**
 * @param signal stops a search for mixtures
 * @throws UsageError, DatasetError, MetricError
 */
export async function optionsOf(given: Given, signal?: AbortSignal): Promise<QuantizeOptions> {
  const { ranges, recovery, keepFloat, minSqnr, sources, prune, cluster, compressAlso } = given
  const budget = await budgetOf(given)
  return {
    ...(budget && { budget: { ...budget, ...(signal && { signal }) } }),
    ...(ranges && { ranges }),
    ...(recovery && { recovery }),
    ...(keepFloat && { keepFloat }),
    ...(minSqnr !== undefined && { minSqnrDb: minSqnr }),
    ...(sources && { sources }),
    ...((prune ?? cluster) !== undefined && {
      compression: {
        ...(prune !== undefined && { prune }),
        ...(cluster !== undefined && { cluster }),
        ...(compressAlso && { also: compressAlso }),
      },
    }),
  }
}

/** A file that only has to reach something may lose whatever it likes on the way. */
async function budgetOf(given: Given): Promise<AccuracyBudget | undefined> {
  const { maxDrop, maxAccuracyDrop, minMetric, test, metric: text } = given
  if (maxDrop !== undefined && maxAccuracyDrop !== undefined) {
    throw new UsageError('--max-drop and --max-accuracy-drop are the same: give one of them')
  }
  const points = maxDrop ?? maxAccuracyDrop
  if (points === undefined && minMetric === undefined) return refuseAimless(given)
  const metric = text === undefined ? undefined : await readMetric(text)
  return {
    maxDrop: points === undefined ? Number.POSITIVE_INFINITY : points / 100,
    ...(minMetric !== undefined && { minimum: minMetric }),
    ...(metric && { metric }),
    ...(test !== undefined && { test: await readData(test, given, metric ? 'any' : 'classes') }),
  }
}

/** @throws UsageError where something is given that only a budget needs */
function refuseAimless({ test, metric }: Given): undefined {
  if ((metric ?? test) === undefined) return undefined
  const option = metric === undefined ? '--test' : '--metric'
  throw new UsageError(
    `${option} holds an accuracy budget: add --max-drop POINTS (or --min-metric VALUE)`,
  )
}
