import type { GraphOperator, OperatorId, Range, TensorId } from '../../../../graph/index.ts'
import { usesOf } from '../../../../graph/index.ts'
import { includeZero } from '../../../parameters/activation.ts'
import type { PlanRequest } from '../../request.ts'

/** What precision rules ask of a graph and its ranges. */
export class Scene {
  readonly request: PlanRequest
  /** Steps that the codes of an activation have. */
  readonly steps: number

  constructor(request: PlanRequest) {
    this.request = request
    this.steps = request.forms.activations === 'int16' ? 65534 : 255
  }

  get operators(): readonly GraphOperator[] {
    return this.request.graph.operators
  }

  makerOf(tensor: TensorId | null | undefined): GraphOperator | undefined {
    return this.operators[this.request.links.producers[tensor ?? -1] ?? -1]
  }

  readersOf(operator: GraphOperator): GraphOperator[] {
    const ids = operator.outputs.flatMap((output) =>
      usesOf(this.request.links, output).flatMap((use) =>
        use.kind === 'input' ? use.operator : [],
      ),
    )
    return [...new Set(ids)].flatMap((id) => this.operators[id] ?? [])
  }

  /** Activations that are computed, or fed. */
  variablesOf({ inputs }: GraphOperator): TensorId[] {
    return inputs.flatMap(({ tensor, role }) =>
      tensor !== null && role === 'activation' && !this.isConstant(tensor) ? tensor : [],
    )
  }

  isConstant(tensor: TensorId): boolean {
    return this.request.graph.tensors[tensor]?.constant !== null
  }

  /** One step of the tensor's codes; null where it has no range. */
  stepOf(tensor: TensorId): number | null {
    return this.#stepOver(this.request.ranges.get(tensor))
  }

  /** The same over all that was seen of it, whatever its range leaves out. */
  seenStepOf(tensor: TensorId): number | null {
    const range = this.request.ranges.get(tensor)
    return this.#stepOver(range?.seen ?? range)
  }

  #stepOver(range: Range | undefined): number | null {
    if (range === undefined) return null
    const { min, max } = includeZero(range)
    return (max - min) / this.steps
  }

  copies({ kind }: GraphOperator): boolean {
    return this.request.facts[kind].integer?.output.law === 'same-as-input'
  }

  /** Marks what makes `tensor`, and what makes that, as long as `follow` says so. */
  collectBefore(
    tensor: TensorId,
    follow: (maker: GraphOperator, made: TensorId) => boolean,
    into: Set<OperatorId>,
  ): void {
    const maker = this.makerOf(tensor)
    if (maker === undefined || into.has(maker.id) || !follow(maker, tensor)) return
    into.add(maker.id)
    for (const source of this.variablesOf(maker)) this.collectBefore(source, follow, into)
  }
}

const WEIGHTLESS_PRODUCTS: ReadonlySet<string> = new Set(['batch-matmul', 'control-flow'])

/** Where the work is: what integers are for. */
export function isProduct({ kind, inputs }: GraphOperator): boolean {
  return WEIGHTLESS_PRODUCTS.has(kind) || inputs.some(({ role }) => role === 'weight')
}
