import { areaUnderCurve } from './area-under-curve.ts'
import { LAYOUT_NAMES } from './boxes/layouts.ts'
import { meanAveragePrecision } from './boxes/mean-average-precision.ts'
import { agreement, topK } from './classes.ts'
import { cosine, meanError } from './distances.ts'
import { meanIou } from './masks.ts'
import type { Meter, Subject } from './meter.ts'
import { type Given, number, type Parameters, sizes, text, word } from './parameters.ts'
import { characterErrorRate, perplexity } from './sequences.ts'

/**
 * A share lies between 0 and 1, and a point of it is a hundredth; a point of an error rate too, though it may be
 * above 1. A point of any other number is a hundredth of what the float model reaches.
 */
export type MetricUnit = 'share' | 'rate' | 'number'

export interface MetricRow {
  readonly direction: 'higher' | 'lower'
  readonly unit: MetricUnit
  readonly what: string
  /** Array of the data that it needs; null where the float model's answers serve as well. */
  readonly labels: 'y' | 'y.boxes' | null
  readonly parameters: Parameters
  start(given: Readonly<Record<string, unknown>>, subject: Subject): Meter
}

/** Ties the parameters' types to what starts with them, and hides them from the table. */
function row<const P extends Parameters>(
  definition: Omit<MetricRow, 'parameters' | 'start'> & {
    readonly parameters: P
    start(given: Given<P>, subject: Subject): Meter
  },
): MetricRow {
  return {
    ...definition,
    start: (given, subject) => definition.start(given as Given<P>, subject),
  }
}

const output = text('name of the output, the first where absent')
const SHARE = [0, 1] as const

const SEQUENCE = {
  output,
  order: word(['steps-first', 'symbols-first'], 'what comes first in the output'),
}

/** Every metric by its name. What each keeps is told where it is written. */
export const METRICS = {
  'top-1': row({
    direction: 'higher',
    unit: 'share',
    what: 'share of the samples whose class scores highest',
    labels: 'y',
    parameters: { output },
    start: (given) => topK(1, given.output),
  }),
  'top-5': row({
    direction: 'higher',
    unit: 'share',
    what: 'share of the samples whose class is among the five best',
    labels: 'y',
    parameters: { output },
    start: (given) => topK(5, given.output),
  }),
  agreement: row({
    direction: 'higher',
    unit: 'share',
    what: 'share of the samples where the float model names the same class',
    labels: null,
    parameters: { output },
    start: (given) => agreement(given.output),
  }),
  map: row({
    direction: 'higher',
    unit: 'share',
    what: 'mean average precision of boxes, as COCO defines it',
    labels: 'y.boxes',
    parameters: {
      layout: word(LAYOUT_NAMES, 'how boxes stand in the outputs'),
      at: word(['coco', '50', '75'], 'IoU: coco is the mean of .5 to .95'),
      nms: number(0.65, SHARE, 'overlap of boxes of one class beyond which the lesser goes'),
      score: number(0.01, SHARE, 'least score of a box'),
      boxes: text('name of the output with boxes'),
      scores: text('name of the output with scores, where they stand apart'),
      corners: word(['yxyx', 'xyxy', 'cxcywh'], 'numbers of a box, where boxes stand apart'),
      unit: word(['auto', 'pixels', 'shares'], 'what these numbers count'),
      anchors: text('file of anchors, a line of centre x, centre y, width, height as shares each'),
      scales: sizes([10, 5], 'what regressions of centres and sizes are divided by'),
      sizes: word(['exp', 'linear'], 'how sizes are regressed from those of anchors'),
      order: word(['yxhw', 'xywh'], 'numbers of a regression'),
      activation: word(['none', 'sigmoid', 'softmax'], 'what scores still need to be shares'),
      background: number(0, [0, 1], 'classes before the first that stand for no object'),
      strides: sizes([8, 16, 32], 'strides of the grids of YOLOX'),
    },
    start: (given, subject) => meanAveragePrecision(given, subject),
  }),
  miou: row({
    direction: 'higher',
    unit: 'share',
    what: 'intersection over union of masks, mean of the classes that occur',
    labels: 'y',
    parameters: {
      output,
      ignore: number(255, [-1, 65535], 'label of pixels that do not count'),
      threshold: number(0.5, [-1e9, 1e9], 'from where on a mask of one channel is set'),
    },
    start: (given) => meanIou(given),
  }),
  cosine: row({
    direction: 'higher',
    unit: 'share',
    what: 'mean cosine between an output and labels, or the float model’s',
    labels: null,
    parameters: { output },
    start: (given) => cosine(given.output),
  }),
  mae: row({
    direction: 'lower',
    unit: 'number',
    what: 'mean absolute error against labels, or the float model',
    labels: null,
    parameters: { output },
    start: (given) => meanError(1, given.output),
  }),
  rmse: row({
    direction: 'lower',
    unit: 'number',
    what: 'root mean square error against labels, or the float model',
    labels: null,
    parameters: { output },
    start: (given) => meanError(2, given.output),
  }),
  auc: row({
    direction: 'higher',
    unit: 'share',
    what: 'area under the ROC curve; of several classes the mean of each against the rest',
    labels: 'y',
    parameters: { output },
    start: (given) => areaUnderCurve(given.output),
  }),
  cer: row({
    direction: 'lower',
    unit: 'rate',
    what: 'character error rate of the best path of CTC',
    labels: 'y',
    parameters: {
      ...SEQUENCE,
      blank: number(0, [-1e6, 1e6], 'place of the blank symbol, from the end where negative'),
    },
    start: (given) => characterErrorRate(given),
  }),
  perplexity: row({
    direction: 'lower',
    unit: 'number',
    what: 'exp of the mean negative log-likelihood of the tokens in "y"',
    labels: 'y',
    parameters: { ...SEQUENCE, from: word(['logits', 'probabilities'], 'what the output holds') },
    start: (given) => perplexity(given),
  }),
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof METRICS
export const METRIC_NAMES = Object.keys(METRICS) as [MetricName, ...MetricName[]]
