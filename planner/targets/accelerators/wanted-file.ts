import type { Target } from '../target.ts'

/**
 * The scheme of the only file that a target takes, before any compiler: integers throughout, with the edges that it
 * prefers. Null where it takes several.
 */
export function onlyScheme({
  accelerator,
}: Pick<Target, 'accelerator'>): 'static-w8a8-io8' | 'static-w8a8-iou8' | null {
  if (accelerator?.takes.numbers !== 'integers') return null
  return accelerator.takes.edges[0] === 'uint8' ? 'static-w8a8-iou8' : 'static-w8a8-io8'
}
