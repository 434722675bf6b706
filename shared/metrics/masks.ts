import { MetricError } from './errors.ts'
import type { Meter, RealArray, RealOutput } from './meter.ts'
import { outputOf, shapeText, truthOf, wideShape } from './truth.ts'

export interface MaskOptions {
  readonly output: string | null
  /** Pixels with this label do not count. */
  readonly ignore: number
  /** From where on a mask of one channel is set. */
  readonly threshold: number
}

/** Intersection over union of each class over all pixels of all samples, and the mean of the classes that occur. */
export function meanIou({ output, ignore, threshold }: MaskOptions): Meter {
  const [both, either]: [number[], number[]] = [[], []]
  const count = (counts: number[], label: number) => {
    counts[label] = (counts[label] ?? 0) + 1
  }
  return {
    add(answer) {
      const mask = truthOf(answer, '', 'a mask of class indices')
      const named = classAt(outputOf(answer, output), mask, threshold)
      for (let pixel = 0; pixel < mask.values.length; pixel += 1) {
        const wanted = mask.values[pixel] as number
        if (wanted === ignore) continue
        const found = named(pixel)
        if (!Number.isInteger(wanted) || wanted < 0) throw noMask(wanted)
        count(either, wanted)
        if (found === wanted) count(both, wanted)
        else count(either, found)
      }
    },
    score: () => {
      const shares = either.flatMap((pixels, label) =>
        pixels > 0 ? [(both[label] ?? 0) / pixels] : [],
      )
      if (shares.length === 0) throw new MetricError('unmeasurable', 'every pixel is ignored')
      return { value: shares.reduce((sum, share) => sum + share, 0) / shares.length }
    },
  }
}

function noMask(label: number): MetricError {
  return new MetricError(
    'wrong-labels',
    `a mask holds ${label}: give class indices from 0, and ignore=${label} where such pixels do not count`,
  )
}

/** The class of each pixel: scores with channels first or last, one channel of shares, or classes themselves. */
function classAt(
  output: RealOutput,
  mask: RealArray,
  threshold: number,
): (pixel: number) => number {
  const { values } = output
  const pixels = mask.values.length
  const channels = values.length / pixels
  if (channels === 1) {
    const classes = Array.from(values).every((value) => Number.isInteger(value))
    const at = (pixel: number) => values[pixel] as number
    return classes ? at : (pixel) => (at(pixel) >= threshold ? 1 : 0)
  }
  const shape = wideShape(output.shape)
  const inner = wideShape(mask.shape).join('×')
  const first = shape.slice(1).join('×') === inner
  const last = shape.slice(0, -1).join('×') === inner
  if (!first && !last) throw unlike(output, mask)
  const [step, stride] = last ? [channels, 1] : [1, pixels]
  return (pixel) => largestAt(values, pixel * step, stride, channels)
}

function largestAt(values: ArrayLike<number>, start: number, stride: number, count: number) {
  let best = 0
  for (let i = 1; i < count; i += 1) {
    const value = values[start + i * stride] as number
    if (value > (values[start + best * stride] as number)) best = i
  }
  return best
}

function unlike(output: RealOutput, mask: RealArray): MetricError {
  return new MetricError(
    'wrong-labels',
    `output "${output.name}" is ${shapeText(output.shape)} and a mask is ${shapeText(mask.shape)}: give masks of the output's height and width`,
  )
}
