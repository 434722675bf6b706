import type { ObserverPlan } from '../../quantizer/calibrate/observer.ts'
import { sampleStride } from '../../quantizer/calibrate/observer.ts'
import type { FusedActivation, GraphOperator, TensorId } from '../graph.ts'
import { type Links, linksOf } from '../links.ts'
import type { OperatorKind } from '../operator-kinds.ts'
import type { Instrumented, Summarised } from '../quantizable.ts'
import { writeOnnx } from './codec.ts'
import { withoutConstants } from './external-data.ts'
import { newMessage, type OnnxGraph, type OnnxModel } from './model.ts'
import { type Attributes, GraphEditor } from './prepare/graph-editor.ts'
import type { OnnxView } from './view.ts'

/** A copy of `model` that gives out all computed float tensors of the view, or those of `asked`. */
export function instrument(
  model: OnnxModel,
  view: OnnxView,
  asked?: readonly TensorId[],
): Instrumented {
  const wanted = new Set(asked ?? view.graph.tensors.map(({ id }) => id))
  const observed = observable(view, linksOf(view.graph)).filter(({ id }) => wanted.has(id))
  const names = observed.map(({ name }) => name)
  return {
    bytes: withOutputs(model, model.graph as OnnxGraph, names),
    outputs: observed.map(({ id }) => id),
  }
}

/**
 * A copy of `model` that gives out what an observer wants to know of large activations, and small ones whole: most of
 * the time of a calibration would go into copying large ones out of the runtime.
 */
export function summarise(
  model: OnnxModel,
  view: OnnxView,
  planFor: (tensor: TensorId) => ObserverPlan,
): Summarised {
  const source = model.graph as OnnxGraph
  const graph = { ...source, node: [...source.node], initializer: [...source.initializer] }
  const summaries = new Summaries(graph)
  const names: string[] = []
  const links = linksOf(view.graph)
  const observed = observable(view, links).map(({ id, name, shape }): ObserverPlan => {
    const plan = planFor(id)
    const stride = shape === null || shape.some((dim) => dim < 0) ? 1 : sampleStride(plan, shape)
    const maker = view.graph.operators[links.producers[id] ?? -1]
    if (stride === 1) names.push(name)
    else names.push(...summaries.of(name, stride, plan, maker !== undefined && isRectifier(maker)))
    return { ...plan, summarised: stride > 1 }
  })
  const { graph: bare, data } = withoutConstants(graph, CONSTANTS_FILE)
  return {
    bytes: withOutputs(model, bare, names),
    observed,
    data: { ...data, name: CONSTANTS_FILE },
  }
}

const CONSTANTS_FILE = 'constants'

class Summaries {
  readonly #editor: GraphEditor

  constructor(graph: OnnxGraph) {
    this.#editor = new GraphEditor(graph)
  }

  /** Names of the outputs that stand for `value`, as SUMMARY_PARTS has them. */
  of(value: string, stride: number, plan: ObserverPlan, rectified: boolean): string[] {
    // Second moments are of neighbours under a window.
    const whole = (plan.moments ?? []).length > 0
    const numbers = whole ? value : this.#sample(value, stride, plan)
    // Every range has zero in it: how far above it the least number lies is worth no pass over them all. Nor is what is
    // no number: it passes on, as infinity does not, to what reads it.
    const [min, sum] = ['ReduceMin', 'ReduceSum'].map((opType) =>
      this.#reduce(opType, rectified ? numbers : value),
    ) as [string, string]
    return [min, this.#reduce('ReduceMax', value), sum, numbers]
  }

  #reduce(opType: string, value: string): string {
    return this.#add(opType, [value], { keepdims: ['int', 0] })
  }

  /** All channels at every nth position. */
  #sample(value: string, stride: number, { channels, channelsFirst }: ObserverPlan): string {
    const editor = this.#editor
    const flat = channels === 0 ? [-1] : channelsFirst ? [channels, -1] : [-1, channels]
    const axis = editor.addInt64s('axis', [flat.indexOf(-1)])
    const bounds = [[0], [2 ** 31 - 1]].map((bound) => editor.addInt64s('bound', bound))
    const rows = this.#add('Reshape', [value, editor.addInt64s('rows', flat)])
    return this.#add('Slice', [rows, ...bounds, axis, editor.addInt64s('step', [stride])])
  }

  #add(opType: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const output = this.#editor.fresh(`${inputs[0]}/${opType}`)
    this.#editor.graph.node.push(this.#editor.newNode(opType, inputs, [output], attributes))
    return output
  }
}

/** A Clip is of kind relu6 whatever its bounds are, and named by them in the other. */
const RECTIFYING_KINDS: ReadonlySet<OperatorKind> = new Set(['relu', 'logistic'])
const RECTIFYING_ENDS: ReadonlySet<FusedActivation> = new Set(['relu', 'relu6'])

/** What it gives out is never negative. */
function isRectifier({ kind, fusedActivation }: GraphOperator): boolean {
  const plain = fusedActivation === 'none' && RECTIFYING_KINDS.has(kind)
  return plain || RECTIFYING_ENDS.has(fusedActivation)
}

function observable(view: OnnxView, { producers }: Links) {
  return view.graph.tensors.filter(({ id, type }) => type === 'float32' && producers[id] !== null)
}

function withOutputs(model: OnnxModel, graph: OnnxGraph, names: readonly string[]): Uint8Array {
  const output = names.map((name) => newMessage('ValueInfoProto', { name }))
  return writeOnnx({ ...model, graph: { ...graph, output } })
}
