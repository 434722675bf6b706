/** How the values of one input or output are shown: as what their shape says that they are. */
export type Drawing =
  | Picture
  | HeatMap
  /** `lines` curves of `length` values; `interleaved`: the values of one moment lie together. */
  | {
      readonly kind: 'curves'
      readonly lines: number
      readonly length: number
      readonly interleaved: boolean
    }
  | { readonly kind: 'numbers' }

export interface Picture {
  readonly kind: 'picture'
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  /** Whether colours of a point lie together, or each colour is a picture of its own. */
  readonly channelsLast: boolean
}

/** Two axes that are both long, and no colours: a spectrogram, most often. Row-major. */
export interface HeatMap {
  readonly kind: 'map'
  readonly rows: number
  readonly columns: number
}

/** Axes that are shorter are no picture's, and too few values make no curve. */
const LEAST_AXIS = 8
const LEAST_CURVE = 12
/** Curves that can be told apart. */
const MOST_CURVES = 6

/**
 * @param length values there are
 * @param shape of the port, with its batch; what does not fit the values says nothing
 */
export function drawingOf(length: number, shape: readonly number[] | undefined): Drawing {
  const dims = shape === undefined ? [length] : withoutBatch(shape)
  if (dims.reduce((product, dim) => product * dim, 1) !== length) return flat(length)
  return pictureOf(dims) ?? plotOf(dims.filter((dim) => dim !== 1)) ?? { kind: 'numbers' }
}

function withoutBatch(shape: readonly number[]): readonly number[] {
  const [batch, ...rest] = shape
  return batch !== undefined && batch <= 1 && rest.length > 0 ? rest : shape
}

function flat(length: number): Drawing {
  return length < LEAST_CURVE
    ? { kind: 'numbers' }
    : { kind: 'curves', lines: 1, length, interleaved: false }
}

function pictureOf(dims: readonly number[]): Picture | undefined {
  const [a = 0, b = 0, c = 0] = dims
  if (dims.length !== 3) return undefined
  if (isColours(c) && Math.min(a, b) >= LEAST_AXIS) {
    return { kind: 'picture', height: a, width: b, channels: c, channelsLast: true }
  }
  if (isColours(a) && Math.min(b, c) >= LEAST_AXIS) {
    return { kind: 'picture', height: b, width: c, channels: a, channelsLast: false }
  }
  return undefined
}

function isColours(dim: number): dim is 1 | 3 {
  return dim === 1 || dim === 3
}

function plotOf(dims: readonly number[]): Drawing | undefined {
  const [a = 0, b = 0] = dims
  if (dims.length === 1) return flat(a)
  if (dims.length !== 2) return undefined
  if (b <= MOST_CURVES && a >= LEAST_CURVE) {
    return { kind: 'curves', lines: b, length: a, interleaved: true }
  }
  if (a <= MOST_CURVES && b >= LEAST_CURVE) {
    return { kind: 'curves', lines: a, length: b, interleaved: false }
  }
  if (Math.min(a, b) >= LEAST_AXIS) return { kind: 'map', rows: a, columns: b }
  return undefined
}

/** Least and largest of them; what is no number has no place. */
export function extentOf(values: readonly number[]): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return low <= high ? [low, high] : [0, 0]
}

/** RGBA, row by row; the least value is black and the largest white, whatever the model's scale is. */
export function pixelsOf(
  values: readonly number[],
  { width, height, channels, channelsLast }: Picture,
): Uint8ClampedArray<ArrayBuffer> {
  const [low, high] = extentOf(values)
  const grey = (value: number | undefined) =>
    high === low ? 128 : (((value ?? low) - low) / (high - low)) * 255
  const points = width * height
  const pixels = new Uint8ClampedArray(points * 4)
  for (let point = 0; point < points; point += 1) {
    for (let colour = 0; colour < 3; colour += 1) {
      const channel = channels === 3 ? colour : 0
      const at = channelsLast ? point * channels + channel : channel * points + point
      pixels[point * 4 + colour] = grey(values[at])
    }
    pixels[point * 4 + 3] = 255
  }
  return pixels
}

/** The values of one curve. */
export function curveOf(
  values: readonly number[],
  { lines, length, interleaved }: Extract<Drawing, { kind: 'curves' }>,
  line: number,
): readonly number[] {
  return interleaved
    ? Array.from({ length }, (_, at) => values[at * lines + line] ?? 0)
    : values.slice(line * length, (line + 1) * length)
}

/**
 * A path through a curve's values, from left to right. Where there are more of them than columns, a stroke from the
 * least to the largest of each column: no peak is left out.
 * @param within width and height, px
 */
export function curvePath(
  values: readonly number[],
  [low, high]: readonly [number, number],
  [width, height]: readonly [number, number],
): string {
  const y = (value: number) =>
    (high === low ? height / 2 : height - ((value - low) / (high - low)) * height).toFixed(1)
  if (values.length <= width) {
    const step = width / Math.max(1, values.length - 1)
    return values
      .map((value, at) => `${at === 0 ? 'M' : 'L'}${(at * step).toFixed(1)} ${y(value)}`)
      .join('')
  }
  return Array.from({ length: width }, (_, x) => {
    const from = Math.floor((x * values.length) / width)
    const to = Math.floor(((x + 1) * values.length) / width)
    const [least, most] = extentOf(values.slice(from, to))
    return `${x === 0 ? 'M' : 'L'}${x} ${y(least)}L${x} ${y(most)}`
  }).join('')
}

/** Shades of a map: more are not told apart at this size. */
export const SHADES = 10
const MOST_CELLS = 96

export interface ShadedMap {
  readonly columns: number
  readonly rows: number
  /** Cells of each shade, the faintest first, as one path with cells of 1 × 1; the least value is not drawn. */
  readonly shades: readonly string[]
}

/** Cells of a map by shade; the longer axis lies, and what is finer than can be seen is averaged. */
export function shadedMap(values: readonly number[], map: HeatMap): ShadedMap {
  const isTall = map.rows > map.columns
  const [across, down] = isTall ? [map.rows, map.columns] : [map.columns, map.rows]
  const at = (x: number, y: number) =>
    values[isTall ? x * map.columns + y : y * map.columns + x] ?? 0
  const [columns, rows] = [Math.min(across, MOST_CELLS), Math.min(down, MOST_CELLS)]
  const cells = Array.from({ length: columns * rows }, (_, cell) => {
    const [x, y] = [cell % columns, Math.floor(cell / columns)]
    return meanOf(at, partOf(x, columns, across), partOf(y, rows, down))
  })
  const [low, high] = extentOf(cells)
  const shades = Array.from({ length: SHADES }, (): string[] => [])
  for (const [cell, value] of cells.entries()) {
    const share = high === low ? 0 : (value - low) / (high - low)
    const place = `M${cell % columns} ${Math.floor(cell / columns)}h1v1h-1z`
    if (share > 0) shades[Math.min(SHADES - 1, Math.floor(share * SHADES))]?.push(place)
  }
  return { columns, rows, shades: shades.map((places) => places.join('')) }
}

type Stretch = readonly [from: number, to: number]

function partOf(cell: number, cells: number, length: number): Stretch {
  return [Math.floor((cell * length) / cells), Math.floor(((cell + 1) * length) / cells)]
}

function meanOf(at: (x: number, y: number) => number, [x0, x1]: Stretch, [y0, y1]: Stretch) {
  let sum = 0
  for (let x = x0; x < x1; x += 1) for (let y = y0; y < y1; y += 1) sum += at(x, y)
  return sum / ((x1 - x0) * (y1 - y0))
}
