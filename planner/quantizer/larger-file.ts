import type { Finding } from '../../shared/findings.ts'
import { sizeOf } from '../../shared/tensors.ts'
import { formatBytes } from '../../shared/units.ts'
import type { Graph, Plan } from '../graph/index.ts'

/** What a file takes of storage at least. */
const BLOCK = 4096

/** A file that should be small and is not: said, with what made it so. */
export function largerFile(
  source: Uint8Array,
  bytes: Uint8Array,
  plan: Plan,
  graph: Graph,
  ofSource: readonly Finding[],
): Finding[] {
  if (bytes.length <= Math.max(source.length, BLOCK)) return []
  return [
    {
      code: 'larger-than-source',
      severity: 'warning',
      message: `the file takes ${formatBytes(bytes.length)}, its source ${formatBytes(source.length)}: ${reasonFor(source, plan, graph, ofSource)}`,
    },
  ]
}

function reasonFor(
  source: Uint8Array,
  plan: Plan,
  graph: Graph,
  ofSource: readonly Finding[],
): string {
  const stored = new Set(
    plan.instructions.flatMap((one) => (one.verb === 'store-constant' ? one.tensor : [])),
  )
  const floats = graph.tensors.filter(
    ({ id, constant, type }) => constant !== null && type === 'float32' && !stored.has(id),
  )
  const floatBytes = 4 * floats.reduce((sum, { shape }) => sum + sizeOf(shape ?? []), 0)
  const codes = ofSource.map(({ code }) => code)
  if (codes.includes('sparse-unpacked'))
    return 'the source stores its constants without their zeros, and here they are stored whole'
  if (codes.includes('source-half-precision') && 2 * floatBytes > source.length)
    return 'its constants are float16, and those that stay in float are float32 here; use float16 or weight-w8'
  if (codes.includes('source-already-quantized'))
    return 'the source is quantized already; give the float model it was made from'
  if (2 * floatBytes > source.length)
    return `${floats.length} constants of ${formatBytes(floatBytes)} stay in float, and what is said of integers comes on top; use weight-w8 or float16`
  return 'its constants are so small that scales, zero points and conversions take more than integers save; float32 is smaller'
}
