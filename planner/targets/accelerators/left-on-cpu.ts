import type { OperatorKind } from '../../graph/index.ts'
import type { Target } from '../target.ts'

/** Operators of a model as a table counts them. */
export interface CountedOperator {
  /** What the format calls it, e.g. `CONV_2D`. */
  readonly native: string
  readonly kind: OperatorKind
  readonly count: number
}

export interface LeftOnCpu {
  readonly total: number
  /** Those that the accelerator may take: what it refuses for their sizes, its compiler or delegate says. */
  readonly accelerator: number
  /** How many of each stay on the CPU, by the format's name, whatever their sizes. */
  readonly left: Readonly<Record<string, number>>
}

/** `SOFTMAX, 2 RESHAPE`; empty where nothing stays. */
export function printLeft(left: LeftOnCpu['left']): string {
  return Object.entries(left)
    .map(([kind, count]) => (count === 1 ? kind : `${count} ${kind}`))
    .join(', ')
}

/** Between numbers of both sorts, whichever those are. */
const BORDERS: ReadonlySet<OperatorKind> = new Set(['quantize', 'dequantize'])

/**
 * What a target's accelerator will not take of a model, once it is in the scheme that the target wants. Null where the
 * target has no accelerator, or nobody published what it takes.
 */
export function leftOnCpu(
  { accelerator, kernels }: Target,
  operators: readonly CountedOperator[],
): LeftOnCpu | null {
  if (accelerator === undefined || !accelerator.operators.known) return null
  const { never, takesOther } = accelerator.operators
  const compiled = accelerator.compiler?.customOperator
  const integersOnly = accelerator.takes.numbers === 'integers'
  const stays = ({ native, kind }: CountedOperator) => {
    if (kind === 'other') return !takesOther.has(native) && native !== compiled
    if (never.has(kind)) return true
    // What the quantizer has no integers for stays in float.
    return integersOnly && !BORDERS.has(kind) && kernels[kind].integer === null
  }
  const left: Record<string, number> = {}
  let total = 0
  for (const operator of operators) {
    total += operator.count
    if (stays(operator)) left[operator.native] = (left[operator.native] ?? 0) + operator.count
  }
  const cpu = Object.values(left).reduce((sum, count) => sum + count, 0)
  return { total, accelerator: total - cpu, left }
}
