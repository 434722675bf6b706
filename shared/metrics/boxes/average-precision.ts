import { areaOf, type Detection, intersectionOf, iouOf } from './box.ts'

/** COCO: IoU .50, .55 … .95; precision at 101 recalls; of each class of an image the best 100. */
export const THRESHOLDS = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100)
const RECALLS = Array.from({ length: 101 }, (_, i) => i / 100)
const MOST_OF_A_CLASS = 100

/** A labelled box; what a crowd covers counts neither for nor against. */
export interface Wanted extends Detection {
  readonly crowd: boolean
}

/** What is kept of a detection: two bits for each threshold. */
interface Judged {
  readonly score: number
  readonly right: number
  readonly ignored: number
}

interface ClassTally {
  wanted: number
  readonly judged: Judged[]
}

/**
 * Mean average precision as COCO defines it (cocodataset.org, "Detection evaluation"; areas of all sizes). Of each
 * detection its score and ten verdicts are kept, of each image at most 100 a class.
 */
export class AveragePrecision {
  readonly #classes = new Map<number, ClassTally>()

  add(found: readonly Detection[], wanted: readonly Wanted[]): void {
    for (const label of new Set([...found, ...wanted].map((one) => one.label))) {
      const tally = this.#classes.get(label) ?? { wanted: 0, judged: [] }
      this.#classes.set(label, tally)
      const truth = wanted.filter((one) => one.label === label)
      tally.wanted += truth.filter(({ crowd }) => !crowd).length
      const best = found
        .filter((one) => one.label === label)
        .sort((a, b) => b.score - a.score)
        .slice(0, MOST_OF_A_CLASS)
      tally.judged.push(...judge(best, truth))
    }
  }

  /** Mean over classes that labels have; at each threshold. Undefined where no label was seen. */
  means(): readonly number[] | undefined {
    const counted = [...this.#classes.values()].filter(({ wanted }) => wanted > 0)
    if (counted.length === 0) return undefined
    const perClass = counted.map(averagesOf)
    return THRESHOLDS.map(
      (_, t) => perClass.reduce((sum, averages) => sum + (averages[t] ?? 0), 0) / counted.length,
    )
  }
}

/** Matches the best scored first, each to the free box that it overlaps most. */
function judge(found: readonly Detection[], truth: readonly Wanted[]): Judged[] {
  // Crowds last: a box that is one thing comes before a box of many.
  const wanted = [...truth].sort((a, b) => Number(a.crowd) - Number(b.crowd))
  const overlaps = found.map((one) => wanted.map((box) => overlapOf(one, box)))
  const verdicts = found.map(({ score }) => ({ score, right: 0, ignored: 0 }))
  THRESHOLDS.forEach((threshold, t) => {
    const taken = new Set<number>()
    overlaps.forEach((row, i) => {
      const at = matchOf(row, wanted, taken, threshold)
      if (at < 0) return
      taken.add(at)
      const verdict = verdicts[i] as { right: number; ignored: number }
      if (wanted[at]?.crowd) verdict.ignored |= 1 << t
      else verdict.right |= 1 << t
    })
  })
  return verdicts
}

function overlapOf(found: Detection, wanted: Wanted): number {
  if (!wanted.crowd) return iouOf(found, wanted)
  const area = areaOf(found)
  return area === 0 ? 0 : intersectionOf(found, wanted) / area
}

function matchOf(
  overlaps: readonly number[],
  wanted: readonly Wanted[],
  taken: ReadonlySet<number>,
  threshold: number,
): number {
  let best = -1
  let reached = Math.min(threshold, 1 - 1e-10)
  for (const [i, overlap] of overlaps.entries()) {
    const crowd = wanted[i]?.crowd === true
    if (taken.has(i) && !crowd) continue
    if (best >= 0 && crowd && wanted[best]?.crowd === false) break
    if (overlap < reached) continue
    best = i
    reached = overlap
  }
  return best
}

/** At each threshold. */
function averagesOf({ wanted, judged }: ClassTally): number[] {
  const order = [...judged].sort((a, b) => b.score - a.score)
  return THRESHOLDS.map((_, t) => {
    const bit = 1 << t
    const precisions: number[] = []
    const recalls: number[] = []
    let [right, wrong] = [0, 0]
    for (const one of order) {
      if (one.ignored & bit) continue
      if (one.right & bit) right += 1
      else wrong += 1
      precisions.push(right / (right + wrong))
      recalls.push(right / wanted)
    }
    // What precision is still reached at this recall or a higher one.
    for (let i = precisions.length - 2; i >= 0; i -= 1)
      precisions[i] = Math.max(precisions[i] as number, precisions[i + 1] as number)
    return meanAtRecalls(precisions, recalls)
  })
}

function meanAtRecalls(precisions: readonly number[], recalls: readonly number[]): number {
  let [sum, at] = [0, 0]
  for (const recall of RECALLS) {
    while (at < recalls.length && (recalls[at] as number) < recall) at += 1
    sum += precisions[at] ?? 0
  }
  return sum / RECALLS.length
}
