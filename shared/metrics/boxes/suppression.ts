import { type Detection, iouOf } from './box.ts'

/**
 * Non-maximum suppression class by class: of boxes of one class that overlap more than `overlap`, only the best scored
 * stays. Best first.
 */
export function suppressed(
  detections: readonly Detection[],
  overlap: number,
  most: number,
): Detection[] {
  const order = [...detections].sort((a, b) => b.score - a.score)
  if (overlap >= 1) return order.slice(0, most)
  const kept = new Map<number, Detection[]>()
  const all: Detection[] = []
  for (const one of order) {
    const others = kept.get(one.label) ?? []
    if (others.some((other) => iouOf(other, one) > overlap)) continue
    kept.set(one.label, [...others, one])
    all.push(one)
    if (all.length === most) break
  }
  return all
}
