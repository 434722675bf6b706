/** How far apart, down and across, the positions of an image lie that are picked. */
export type Steps = readonly [down: number, across: number]

/** Fewer picked along a side would be too much of an edge, or too little. */
const FEWEST = 3
/** Edges, where padding tells, would be seen too often from the first position on. */
const BEYOND_THE_EDGE = 3
/** Of the positions asked for, so many times fewer may be picked. */
const SPARSER = 1.5
/** How much a pick of long and narrow fields costs, beside one that misses how many are asked for. */
const WEIGHT_OF_FORM = 0.2

/**
 * Steps that pick about one of `stride` positions of an image. They share no factor with 2 and 3: what was enlarged so
 * many times has something else at every second or third position.
 */
export function gridOf(height: number, width: number, stride: number): Steps {
  let best: Steps = [1, 1]
  for (const down of stepsUpTo(height, stride)) {
    for (const across of stepsUpTo(width, stride)) {
      const steps = [down, across] as const
      if (down * across <= SPARSER * stride && missOf(steps, stride) < missOf(best, stride)) {
        best = steps
      }
    }
  }
  return best
}

/** How many positions lie up to the first one picked, itself included. */
export function firstOf(step: number): number {
  return Math.min(BEYOND_THE_EDGE, Math.ceil(step / 2))
}

function missOf([down, across]: Steps, stride: number): number {
  const form = Math.abs(Math.log(down / across))
  return Math.abs(Math.log((down * across) / stride)) + WEIGHT_OF_FORM * form
}

function stepsUpTo(size: number, stride: number): number[] {
  const most = Math.min((size - BEYOND_THE_EDGE) / (FEWEST - 1), SPARSER * stride)
  return Array.from({ length: Math.max(1, Math.floor(most)) }, (_, i) => i + 1).filter(
    (step) => step % 2 !== 0 && step % 3 !== 0,
  )
}
