import type { Random } from '../../../shared/statistics/index.ts'

/** Of a letter's height: how wide it is, and its strokes. */
const WIDTH = 0.6
const THICKNESS = 0.12
/** Strokes go between points of a grid of so many columns and rows. */
const GRID = [3, 4] as const
const GRAIN = 0.02
/** Pictures that are less high hold one line. */
const ONE_LINE_PX = 64

/** Channels before rows and columns. */
export function drawWriting(
  into: number[],
  [, channels = 1, height = 1, width = 1]: readonly number[],
  [least, most]: readonly [number, number],
  random: Random,
): void {
  const ink = inkOn(height, width, random)
  const paper = 0.75 + 0.25 * random()
  const colour = Array.from({ length: channels }, () => 0.3 * random())
  for (let channel = 0; channel < channels; channel += 1) {
    for (let at = 0; at < height * width; at += 1) {
      const wet = ink[at] ?? 0
      const dry = paper + GRAIN * (random() * 2 - 1)
      const value = wet * (colour[channel] ?? 0) + (1 - wet) * dry
      into[channel * height * width + at] = least + (most - least) * Math.min(1, Math.max(0, value))
    }
  }
}

/** How much of each pixel is covered. */
function inkOn(height: number, width: number, random: Random): Float32Array {
  const ink = new Float32Array(height * width)
  const isLine = height < ONE_LINE_PX
  let top = isLine ? 0.15 * height : 0.06 * height
  while (top < 0.9 * height) {
    const size = isLine ? 0.7 * height : (0.1 + 0.12 * random()) * height
    if (top + size > height) break
    let left = (0.02 + 0.1 * random()) * width
    while (left + WIDTH * size < 0.97 * width) {
      drawLetter(ink, { height, width, top, left, size }, random)
      // Words end now and then.
      left += WIDTH * size * (random() < 0.2 ? 2 : 1.25)
    }
    top += size * (1.4 + random())
  }
  return ink
}

interface Place {
  readonly height: number
  readonly width: number
  readonly top: number
  readonly left: number
  readonly size: number
}

function drawLetter(ink: Float32Array, place: Place, random: Random): void {
  const { top, left, size } = place
  const point = () => {
    const [columns, rows] = GRID
    return [
      left + (WIDTH * size * Math.floor(random() * columns)) / (columns - 1),
      top + (size * Math.floor(random() * rows)) / (rows - 1),
    ] as const
  }
  let from = point()
  const strokes = 3 + Math.floor(random() * 2)
  for (let stroke = 0; stroke < strokes; stroke += 1) {
    const to = point()
    const steps = Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])) + 1
    for (let step = 0; step <= steps; step += 1) {
      const x = from[0] + ((to[0] - from[0]) * step) / steps
      const y = from[1] + ((to[1] - from[1]) * step) / steps
      drop(ink, place, x, y)
    }
    from = to
  }
}

function drop(ink: Float32Array, { height, width, size }: Place, x: number, y: number): void {
  const radius = Math.max(0.7, (THICKNESS * size) / 2)
  for (let row = Math.floor(y - radius); row <= y + radius + 1; row += 1) {
    for (let column = Math.floor(x - radius); column <= x + radius + 1; column += 1) {
      if (row < 0 || column < 0 || row >= height || column >= width) continue
      const covered = radius + 0.5 - Math.hypot(column - x, row - y)
      const at = row * width + column
      ink[at] = Math.max(ink[at] ?? 0, Math.min(1, covered))
    }
  }
}
