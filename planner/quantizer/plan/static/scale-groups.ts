import type { Graph, GraphOperator, OperatorId, Range, TensorId } from '../../../graph/index.ts'
import { type AffineParameters, INTEGER_LIMITS, perTensor, usesOf } from '../../../graph/index.ts'
import type { FixedParameters } from '../../../targets/index.ts'
import { activationParameters, asUint8, includeZero } from '../../parameters/activation.ts'
import type { PlanRequest } from '../request.ts'
import { DisjointSets } from './disjoint-sets.ts'

/** Ranges closer than this share of their width may share a scale without a visible loss. */
const SIMILAR = 0.1

interface Group {
  readonly members: readonly TensorId[]
  readonly fixed: FixedParameters | null
  /** Hull of the ranges of the members that bring numbers in; null when fixed parameters rule. */
  readonly claim: Range | null
  /** Code 0 must stand for 0: the zero point is 0. */
  readonly centred: boolean
}

/**
 * Tensors that must, or may as well, carry equal parameters. Operators that copy codes bind their
 * outputs to their input; operators that merge codes draw their inputs to the output's range where no
 * other reader would lose by it, and leave the rest to be requantized on the way in.
 */
export class ScaleGroups {
  readonly #request: PlanRequest
  readonly #integer: ReadonlySet<OperatorId>
  readonly #sets = new DisjointSets()
  readonly #groups = new Map<TensorId, Group>()

  constructor(request: PlanRequest, integer: ReadonlySet<OperatorId>) {
    this.#request = request
    this.#integer = integer
    for (const [tensor, claim] of request.ranges) {
      this.#groups.set(tensor, { ...alone(tensor), claim })
    }
    const operators = request.graph.operators.filter((operator) => integer.has(operator.id))
    for (const operator of operators) this.#fix(operator)
    for (const operator of operators) this.#bindCopies(operator)
    for (const operator of operators) this.#drawInputs(operator)
  }

  /** Parameters of an activation wherever it is held in the plan's activation type; null if never calibrated. */
  parametersOf(tensor: TensorId): AffineParameters | null {
    const { activations } = this.#request.forms
    const { fixed, claim, centred } = this.#groupOf(tensor)
    if (fixed !== null) {
      const parameters = perTensor(fixed.scale, fixed.zeroPoint)
      return activations === 'uint8' ? asUint8(parameters) : parameters
    }
    if (claim === null) return null
    return centred && activations === 'int8'
      ? centredParameters(claim)
      : activationParameters(claim, activations)
  }

  #lawOf(operator: GraphOperator): string | undefined {
    return this.#request.facts[operator.kind].integer?.output.law
  }

  #groupOf(tensor: TensorId): Group {
    const root = this.#sets.find(tensor)
    return this.#groups.get(root) ?? alone(tensor)
  }

  #fix(operator: GraphOperator): void {
    const rule = this.#request.facts[operator.kind].integer?.output
    for (const output of operator.outputs) {
      const group = this.#groupOf(output)
      if (rule?.law === 'fixed') {
        const fixed = this.#request.forms.activations === 'int16' ? rule.int16 : rule.int8
        this.#groups.set(output, { ...group, fixed, claim: null })
      }
      if (rule?.law === 'same-as-output' && rule.centred) {
        this.#groups.set(output, { ...group, centred: true })
      }
    }
  }

  #bindCopies(operator: GraphOperator): void {
    if (this.#lawOf(operator) !== 'same-as-input') return
    const [source] = variableActivations(operator, this.#request.graph)
    if (source === undefined) return
    for (const output of operator.outputs) {
      if (this.#request.ranges.has(output)) this.#merge(source, output, 'drop-claim')
    }
  }

  #drawInputs(operator: GraphOperator): void {
    const output = operator.outputs[0]
    if (this.#lawOf(operator) !== 'same-as-output' || output === undefined) return
    const sources = variableActivations(operator, this.#request.graph)
    this.#adoptCommonFixed(output, sources, operator)
    for (const source of sources) this.#draw(output, source, operator)
  }

  /** Logistic outputs concatenated with each other stay as they are. */
  #adoptCommonFixed(output: TensorId, sources: readonly TensorId[], operator: GraphOperator): void {
    const [first] = sources
    const fixed = first === undefined ? null : this.#groupOf(first).fixed
    const everyActivation = operator.inputs.filter((input) => input.role === 'activation')
    const common =
      fixed !== null &&
      sources.length === everyActivation.length &&
      sources.every((source) => sameFixed(this.#groupOf(source).fixed, fixed))
    const group = this.#groupOf(output)
    if (!common || group.fixed !== null || group.centred) return
    this.#groups.set(this.#sets.find(output), { ...group, fixed, claim: null })
  }

  #draw(output: TensorId, source: TensorId, operator: GraphOperator): void {
    const into = this.#groupOf(output)
    const from = this.#groupOf(source)
    if (into.fixed !== null || from.fixed !== null) {
      if (sameFixed(into.fixed, from.fixed)) this.#merge(output, source, 'drop-claim')
      return
    }
    if (this.#isClosed(from, source, operator)) this.#merge(output, source, 'drop-claim')
    else if (similar(into.claim, from.claim)) this.#merge(output, source, 'keep-claim')
  }

  /** Whether nobody reads the group but `operator` and members of the group: no one loses precision. */
  #isClosed(group: Group, source: TensorId, operator: GraphOperator): boolean {
    const root = this.#sets.find(source)
    return group.members.every((member) =>
      usesOf(this.#request.links, member).every((use) => {
        if (use.kind === 'output') return false
        if (use.operator === operator.id) return true
        const reader = this.#request.graph.operators[use.operator]
        const result = reader?.outputs[0]
        if (reader === undefined || result === undefined) return false
        const binds =
          this.#lawOf(reader) === 'same-as-input' || this.#lawOf(reader) === 'same-as-output'
        return this.#integer.has(reader.id) && binds && this.#sets.find(result) === root
      }),
    )
  }

  #merge(into: TensorId, from: TensorId, claims: 'keep-claim' | 'drop-claim'): void {
    if (this.#sets.find(into) === this.#sets.find(from)) return
    const a = this.#groupOf(into)
    const b = this.#groupOf(from)
    const claim = claims === 'keep-claim' ? hull(a.claim, b.claim) : (a.claim ?? b.claim)
    const fixed = a.fixed ?? b.fixed
    this.#sets.union(into, from)
    this.#groups.set(this.#sets.find(into), {
      members: [...a.members, ...b.members],
      fixed,
      claim: fixed === null ? claim : null,
      centred: a.centred || b.centred,
    })
  }
}

function alone(tensor: TensorId): Group {
  return { members: [tensor], fixed: null, claim: null, centred: false }
}

function centredParameters(claim: Range): AffineParameters {
  const { min, max } = includeZero(claim)
  return perTensor(Math.max(-min, max) / INTEGER_LIMITS.int8.max, 0)
}

function variableActivations(operator: GraphOperator, graph: Graph): TensorId[] {
  return operator.inputs.flatMap(({ tensor, role }) =>
    tensor !== null && role === 'activation' && graph.tensors[tensor]?.constant === null
      ? tensor
      : [],
  )
}

function sameFixed(a: FixedParameters | null, b: FixedParameters | null): boolean {
  return a !== null && b !== null && a.scale === b.scale && a.zeroPoint === b.zeroPoint
}

function hull(a: Range | null, b: Range | null): Range | null {
  if (a === null || b === null) return a ?? b
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}

function similar(a: Range | null, b: Range | null): boolean {
  if (a === null || b === null) return false
  const width = Math.max(a.max, b.max, 0) - Math.min(a.min, b.min, 0)
  return Math.abs(a.min - b.min) <= SIMILAR * width && Math.abs(a.max - b.max) <= SIMILAR * width
}
