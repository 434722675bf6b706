import type { Finding } from '../../shared/findings.ts'
import { BASE_SCHEMES, type Scheme } from '../../shared/schemes.ts'
import { sizeOf } from '../../shared/tensors.ts'
import { formatBytes } from '../../shared/units.ts'
import type { Graph, Plan } from '../graph/index.ts'

/** What a file takes of storage at least. */
const BLOCK = 4096

/** What weights of eight bits are expected to leave of a float model: a quarter, and what describes it. */
export const EXPECTED_SHARE = 0.35

/** Below so many bytes nobody asks for a share of them. */
const WORTH_SAVING = 16 * BLOCK

/** Of a file that should be smaller. */
export interface FileSizes {
  readonly source: number
  readonly bytes: number
  readonly scheme: Scheme
}

/** A file that should be small and is not: said, with what made it so. */
export function largerFile(
  sizes: FileSizes,
  plan: Plan,
  graph: Graph,
  ofSource: readonly Finding[],
): Finding[] {
  const { source, bytes, scheme } = sizes
  const codes = ofSource.map(({ code }) => code)
  const says = `the file takes ${formatBytes(bytes)}, its source ${formatBytes(source)}`
  const floats = floatsLeft(plan, graph)
  if (bytes > Math.max(source, BLOCK)) {
    const message = `${says}: ${whyLarger(source, floats, codes)}`
    return [{ code: 'larger-than-source', severity: 'warning', message }]
  }
  const integers = INTEGERS.has(BASE_SCHEMES[scheme.base].weights)
  if (!integers || source < WORTH_SAVING || bytes <= EXPECTED_SHARE * source) return []
  const share = `${Math.round((100 * bytes) / source)} %`
  const message = `${says}, ${share} of which are left: ${whyHardly(source, floats, codes)}`
  return [{ code: 'hardly-smaller', severity: 'info', message }]
}

const INTEGERS: ReadonlySet<string> = new Set(['int8', 'int4'])

interface Floats {
  /** Those that stay. */
  readonly count: number
  readonly bytes: number
  /** With those that became integers, as float32. */
  readonly all: number
}

function floatsLeft(plan: Plan, graph: Graph): Floats {
  const stored = new Set(
    plan.instructions.flatMap((one) => (one.verb === 'store-constant' ? one.tensor : [])),
  )
  const constants = graph.tensors.filter(
    ({ constant, type }) => constant !== null && type === 'float32',
  )
  const left = constants.filter(({ id }) => !stored.has(id))
  const bytesOf = (tensors: typeof constants) =>
    4 * tensors.reduce((sum, { shape }) => sum + sizeOf(shape ?? []), 0)
  return { count: left.length, bytes: bytesOf(left), all: bytesOf(constants) }
}

/** What is known of the source, by the code of its finding. */
const OF_SOURCE: Readonly<Record<string, string>> = {
  'sparse-unpacked':
    'the source stores its constants without their zeros, and here they are stored whole',
  'source-already-quantized':
    'the source is quantized already; give the float model it was made from',
}

function ofSource(codes: readonly string[]): string | undefined {
  return Object.entries(OF_SOURCE).find(([code]) => codes.includes(code))?.[1]
}

function whyLarger(source: number, { count, bytes }: Floats, codes: readonly string[]): string {
  if (
    codes.includes('source-half-precision') &&
    !codes.includes('sparse-unpacked') &&
    2 * bytes > source
  )
    return 'its constants are float16, and those that stay in float are float32 here; use float16 or weight-w8'
  const known = ofSource(codes)
  if (known !== undefined) return known
  if (2 * bytes > source)
    return `${count} constants of ${formatBytes(bytes)} stay in float, and what is said of integers comes on top; use weight-w8 or float16`
  return 'its constants are so small that scales, zero points and conversions take more than integers save; float32 is smaller'
}

function whyHardly(
  source: number,
  { count, bytes, all }: Floats,
  codes: readonly string[],
): string {
  const known = ofSource(codes)
  if (known !== undefined) return known
  const reasons = [
    ...(codes.includes('source-half-precision')
      ? ['its constants are float16 there, which eight bits halve only']
      : []),
    ...(20 * bytes > source ? [`${count} constants of ${formatBytes(bytes)} stay in float`] : []),
  ]
  return reasons.length > 0
    ? reasons.join(', and ')
    : `its constants are ${formatBytes(all)} in float, and the rest is what describes operators, names, scales and zero points`
}
