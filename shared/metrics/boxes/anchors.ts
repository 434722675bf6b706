import { readFileSync } from 'node:fs'
import { messageOf } from '../../errors.ts'
import { MetricError } from '../errors.ts'
import type { Answer } from '../meter.ts'
import { shapeText } from '../truth.ts'

/** Boxes that a detector's regressions are told from, as shares of the image: centre x, centre y, width, height. */
export interface Anchors {
  readonly rows: number
  readonly values: ArrayLike<number>
}

/** How a box is regressed from its anchor. */
export interface BoxCode {
  /** File with the anchors, where the data has none. */
  readonly anchors: string | null
  /** What centres and sizes are divided by. */
  readonly scales: readonly number[]
  readonly sizes: 'exp' | 'linear'
  readonly order: 'yxhw' | 'xywh'
}

/** Files by path, read once: a metric asks for each sample. */
const READ = new Map<string, Anchors>()

/** From the data's array `y.anchors`, else from the file. @throws MetricError `missing-labels`, `wrong-labels`, `bad-parameter` */
export function anchorsFor({ truth }: Answer, { anchors }: BoxCode): Anchors {
  const given = truth.get('anchors')
  if (given !== undefined) {
    if (given.shape.length === 2 && given.shape[1] === 4)
      return { rows: given.shape[0] ?? 0, values: given.values }
    throw new MetricError(
      'wrong-labels',
      `"y.anchors" is ${shapeText(given.shape)} a sample: give anchors × 4 (centre x, centre y, width, height as shares of the image)`,
    )
  }
  if (anchors === null) {
    throw new MetricError(
      'missing-labels',
      'layout anchors needs them: name a file with anchors=FILE.csv (a line for each: centre x, centre y, width, height as shares), or give an array "y.anchors"',
    )
  }
  const known = READ.get(anchors) ?? readAnchors(anchors)
  READ.set(anchors, known)
  return known
}

function readAnchors(path: string): Anchors {
  const lines = textOf(path)
    .split('\n')
    .filter((line) => line.trim() !== '')
  const values = lines.flatMap((line, at) => {
    const numbers = line.split(/[\s,;]+/).filter((word) => word !== '')
    const row = numbers.map(Number)
    if (row.length === 4 && row.every(Number.isFinite)) return row
    throw new MetricError(
      'bad-parameter',
      `${path}, line ${at + 1}: "${line.slice(0, 60)}" is no anchor: write centre x, centre y, width, height as shares of the image`,
      { path },
    )
  })
  return { rows: lines.length, values }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new MetricError(
      'bad-parameter',
      `anchors ${path} cannot be read: ${messageOf(cause)}`,
      { path },
      { cause },
    )
  }
}

/** Centre and size as shares of the image. (Liu et al., "SSD: Single Shot MultiBox Detector", 2016, §2.2.) */
export function boxFrom(
  regression: (i: number) => number,
  { values }: Anchors,
  row: number,
  { scales, sizes, order }: BoxCode,
): readonly [number, number, number, number] {
  const [centreScale = 1, sizeScale = centreScale] = scales
  const [x, y, w, h] = order === 'xywh' ? [0, 1, 2, 3] : [1, 0, 3, 2]
  const anchor = (i: number) => values[4 * row + i] as number
  const size = (i: number) => {
    const told = regression(i) / sizeScale
    return sizes === 'exp' ? Math.exp(told) : told
  }
  return [
    anchor(0) + (regression(x as number) / centreScale) * anchor(2),
    anchor(1) + (regression(y as number) / centreScale) * anchor(3),
    size(w as number) * anchor(2),
    size(h as number) * anchor(3),
  ]
}
