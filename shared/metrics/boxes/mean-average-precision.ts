import { MetricError } from '../errors.ts'
import type { Answer, Meter, Subject } from '../meter.ts'
import { shapeText, truthOf } from '../truth.ts'
import { AveragePrecision, THRESHOLDS, type Wanted } from './average-precision.ts'
import { type InputSize, LAYOUTS, type LayoutName, type LayoutOptions } from './layouts.ts'
import { suppressed } from './suppression.ts'

export interface BoxOptions extends LayoutOptions {
  readonly layout: LayoutName
  /** Overlap beyond which a box is taken for another of the same thing; 1 for none. */
  readonly nms: number
  /** `coco`: mean over IoU .5 to .95; `50`, `75`: at one. */
  readonly at: 'coco' | '50' | '75'
}

/** Boxes of an image beyond the best so many are not judged. */
const MOST_BOXES = 300

/** Labels `y.boxes`: rows of class, left, top, right, bottom in pixels of the input, perhaps 1 for a crowd; class -1 is none. */
export function meanAveragePrecision(options: BoxOptions, subject: Subject): Meter {
  const size = inputSize(subject)
  const tally = new AveragePrecision()
  return {
    add(answer) {
      const wanted = wantedIn(answer)
      const found = LAYOUTS[options.layout](answer, options, size)
      tally.add(suppressed(found, options.nms, MOST_BOXES), wanted)
    },
    score: () => {
      const means = tally.means()
      if (means === undefined)
        throw new MetricError('unmeasurable', 'no sample has a labelled box: mAP needs some')
      const coco = means.reduce((sum, mean) => sum + mean, 0) / means.length
      const at = (iou: number) => means[THRESHOLDS.indexOf(iou)] ?? Number.NaN
      const values = { coco, '50': at(0.5), '75': at(0.75) }
      return {
        value: values[options.at],
        parts: { 'map50-95': coco, map50: at(0.5), map75: at(0.75) },
      }
    },
  }
}

function wantedIn(answer: Answer): Wanted[] {
  const { shape, values } = truthOf(answer, 'boxes', 'boxes (class, left, top, right, bottom)')
  const width = shape.at(-1) ?? 0
  if (shape.length !== 2 || (width !== 5 && width !== 6)) {
    throw new MetricError(
      'wrong-labels',
      `"y.boxes" is ${shapeText(shape)} a sample: give boxes × 5 (class, left, top, right, bottom; a sixth is 1 for a crowd), padded with class -1`,
    )
  }
  return Array.from({ length: shape[0] ?? 0 }, (_, row) => {
    const [label, left, top, right, bottom, crowd] = Array.from(
      { length: 6 },
      (_, i) => (i < width ? values[row * width + i] : 0) as number,
    ) as [number, number, number, number, number, number]
    return { label, left, top, right, bottom, score: 1, crowd: crowd === 1 }
  }).filter(({ label }) => label >= 0)
}

/** Of an image, with channels first or last. */
function inputSize({ inputs }: Subject): InputSize {
  const image = inputs.find(({ shape }) => shape.length === 4)
  const [, a = 0, b = 0, c = 0] = image?.shape ?? []
  const first = a > 0 && a <= 4
  const [height, width] = first ? [b, c] : [a, b]
  if (height > 0 && width > 0) return { width, height }
  throw new MetricError(
    'wrong-outputs',
    'mAP needs a model with one image for an input, of known height and width: fill open sizes in with --shape',
  )
}
