/** In pixels of the model's input: corners, as far apart as `right - left` and `bottom - top`. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** What a detector says, or labels do; `score` is 1 for labels. */
export interface Detection extends Box {
  readonly label: number
  readonly score: number
}

export function areaOf({ left, top, right, bottom }: Box): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top)
}

export function intersectionOf(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  return width > 0 && height > 0 ? width * height : 0
}

/** Intersection over union. */
export function iouOf(a: Box, b: Box): number {
  const common = intersectionOf(a, b)
  return common === 0 ? 0 : common / (areaOf(a) + areaOf(b) - common)
}
