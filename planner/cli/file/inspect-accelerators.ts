import { type ModelFormat, takesFormat } from '../../../shared/runtime/index.ts'
import type { Inspection } from '../../graph/index.ts'
import {
  ACCELERATED_NAMES,
  type AcceleratedName,
  type CompilerName,
  type LeftOnCpu,
  leftOnCpu,
  onlyScheme,
  printLeft,
  type Target,
  targetOf,
} from '../../targets/index.ts'
import { type Page, table } from '../print/page.ts'

/** What an accelerator would make of the model, in the scheme that it takes. */
export interface AcceleratorView {
  readonly target: AcceleratedName
  readonly title: string
  readonly takes: {
    /** Null where it takes several. */
    readonly scheme: string | null
    readonly edges: readonly string[]
    readonly weights: string
    readonly compiler: CompilerName | null
  }
  /** By kind alone, so at best: sizes matter too. Null where nobody published what it takes. */
  readonly operators: LeftOnCpu | null
  readonly source: string
}

/** Of all accelerators whose runtime takes files of this format. */
export function acceleratorsFor(
  { operators }: Pick<Inspection, 'operators'>,
  format: ModelFormat,
): readonly AcceleratorView[] {
  return ACCELERATED_NAMES.flatMap((name) => {
    const target = targetOf(name)
    return takesFormat(target.runtime, format) ? viewOf(name, target, operators) : []
  })
}

function viewOf(
  name: AcceleratedName,
  target: Target,
  operators: Inspection['operators'],
): AcceleratorView[] {
  const { accelerator } = target
  if (accelerator === undefined) return []
  const { title, takes, compiler } = accelerator
  return [
    {
      target: name,
      title,
      takes: {
        scheme: onlyScheme(target),
        edges: takes.edges,
        weights: takes.weights,
        compiler: compiler?.name ?? null,
      },
      operators: leftOnCpu(target, operators),
      source: accelerator.operators.source,
    },
  ]
}

export function printAccelerators(views: readonly AcceleratorView[]): Page {
  return table(
    ['TARGET', 'TAKES', 'ON IT', 'STAYS ON THE CPU'],
    views.map(({ target, takes: { scheme, compiler }, operators }) => [
      target,
      `${scheme ?? 'any scheme'}${compiler ? `, then ${compiler}` : ''}`,
      operators === null ? '—' : `${operators.accelerator} of ${operators.total}`,
      operators === null
        ? 'not known before a device loads it'
        : printLeft(operators.left) || 'nothing by kind',
    ]),
  )
}
