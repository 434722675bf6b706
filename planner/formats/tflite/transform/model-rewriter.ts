import { invariant } from '../../../../shared/errors.ts'
import type { OperatorId, TensorId, Use } from '../../../graph/index.ts'
import { type Form, sameForm } from '../../../graph/index.ts'
import {
  type Draft,
  type DraftOperator,
  type DraftSubgraph,
  type DraftTensor,
  draftOf,
} from '../draft.ts'
import type { TflModel } from '../model.ts'

/** The draft under work, addressed by the ids of the view, and the forms that each tensor exists in. */
export class ModelRewriter {
  readonly draft: Draft
  /** Operators whose version must be found anew. */
  readonly changed = new Set<DraftOperator>()
  readonly #tensors: DraftTensor[]
  readonly #operators: DraftOperator[]
  readonly #homes = new Map<DraftTensor | DraftOperator, DraftSubgraph>()
  readonly #forms = new Map<TensorId, { form: Form; tensor: DraftTensor }[]>()

  constructor(model: TflModel) {
    this.draft = draftOf(model)
    this.#tensors = this.draft.subgraphs.flatMap((subgraph) => subgraph.tensors)
    this.#operators = this.draft.subgraphs.flatMap((subgraph) => subgraph.operators)
    for (const subgraph of this.draft.subgraphs) {
      for (const thing of [...subgraph.tensors, ...subgraph.operators]) {
        this.#homes.set(thing, subgraph)
      }
    }
  }

  /** The tensor as the source has it. */
  tensor(id: TensorId): DraftTensor {
    const tensor = this.#tensors[id]
    invariant(tensor !== undefined, `tensor ${id} is one of the view's`)
    return tensor
  }

  operator(id: OperatorId): DraftOperator {
    const operator = this.#operators[id]
    invariant(operator !== undefined, `operator ${id} is one of the view's`)
    return operator
  }

  homeOf(thing: DraftTensor | DraftOperator): DraftSubgraph {
    const home = this.#homes.get(thing)
    invariant(home !== undefined, 'everything in a draft belongs to a subgraph')
    return home
  }

  /** The tensor that holds `id` in `form`: one made earlier, or the source's own. */
  inForm(id: TensorId, form: Form): DraftTensor {
    const made = this.#forms.get(id)?.find((entry) => sameForm(entry.form, form))
    return made?.tensor ?? this.tensor(id)
  }

  remember(id: TensorId, form: Form, tensor: DraftTensor): void {
    const forms = this.#forms.get(id) ?? []
    this.#forms.set(id, [...forms, { form, tensor }])
  }

  add(tensor: DraftTensor, home: DraftSubgraph): void {
    home.tensors.push(tensor)
    this.#homes.set(tensor, home)
  }

  /** Makes the listed readers of tensor `id` read `tensor`. */
  redirect(uses: readonly Use[], tensor: DraftTensor): void {
    for (const use of uses) {
      if (use.kind === 'input') {
        const operator = this.operator(use.operator)
        operator.inputs[use.position] = tensor
        this.changed.add(operator)
      } else this.#redirectOutput(use.subgraph, use.position, tensor)
    }
  }

  #redirectOutput(at: number, position: number, tensor: DraftTensor): void {
    const subgraph = this.draft.subgraphs[at]
    const before = subgraph?.outputs[position]
    invariant(subgraph !== undefined && before !== undefined, 'the plan names existing outputs')
    subgraph.outputs[position] = tensor
    for (const signature of this.draft.signatures) {
      if (signature.source.subgraphIndex !== at) continue
      for (const end of signature.outputs) if (end.tensor === before) end.tensor = tensor
    }
  }

  /** Puts `operator` before the first of `readers`, or last where only the subgraph's outputs read. */
  insert(operator: DraftOperator, home: DraftSubgraph, readers: readonly DraftOperator[]): void {
    const places = readers.map((reader) => home.operators.indexOf(reader)).filter((at) => at >= 0)
    const place = places.length === 0 ? home.operators.length : Math.min(...places)
    home.operators.splice(place, 0, operator)
    this.#homes.set(operator, home)
    this.changed.add(operator)
  }
}
