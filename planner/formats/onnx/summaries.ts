import type {
  FusedActivation,
  GraphOperator,
  ObserverPlan,
  OperatorKind,
} from '../../graph/index.ts'
import { SUMMARY_PARTS, type SummaryPart } from '../../graph/index.ts'
import { firstOf, gridOf, type Steps } from './grid.ts'
import type { OnnxGraph } from './model.ts'
import { type Attributes, GraphEditor } from './prepare/graph-editor.ts'

interface Value {
  readonly name: string
  readonly shape: readonly number[]
  /** All but the batch is the same for whatever is read. */
  readonly settled: boolean
  readonly maker: GraphOperator | undefined
  /** What the maker reads that is no activation holds numbers only. */
  readonly soundConstants: () => boolean
  /** One of so many numbers is enough to see. */
  readonly stride: number
}

interface Summary {
  readonly parts: readonly SummaryPart[]
  /** Of the graph, one for each part. */
  readonly outputs: readonly string[]
}

/** A Clip is of kind relu6 whatever its bounds are, and named by them in the other. */
const RECTIFYING_KINDS: ReadonlySet<OperatorKind> = new Set(['relu', 'logistic'])
const RECTIFYING_ENDS: ReadonlySet<FusedActivation> = new Set(['relu', 'relu6'])

/**
 * What of numbers below infinity makes no NaN. Infinity shows in the extremes, NaN where it arises: there all is summed,
 * or seen.
 */
const KEEPS_NUMBERS: ReadonlySet<OperatorKind> = new Set([
  'conv',
  'depthwise-conv',
  'transpose-conv',
  'fully-connected',
  'batch-matmul',
  'add',
  'sub',
  'mul',
  'relu',
  'relu6',
  'logistic',
  'tanh',
  'average-pool',
  'max-pool',
  'concatenation',
])

/**
 * Operators whose results ONNX Runtime keeps in blocks of channels (NCHWc, onnxruntime/core/optimizer/nchwc_transformer.cc):
 * what convolutions and pools read needs not be brought into order first, which costs more than all the rest.
 */
const BLOCKED: ReadonlySet<OperatorKind> = new Set([
  'conv',
  'depthwise-conv',
  'add',
  'average-pool',
  'max-pool',
  'relu',
  'concatenation',
])
const CHANNELS_PER_BLOCK = 16

/** A NaN among their constants is in all numbers of a channel. */
const CHANNEL_BY_CHANNEL: ReadonlySet<OperatorKind> = new Set(['conv', 'depthwise-conv'])

/** Nodes that find out inside the runtime what an observer wants to know of large activations. */
export class Summaries {
  readonly #editor: GraphEditor
  /** Names of kernels by what they are made for. */
  readonly #kernels = new Map<string, string>()

  constructor(graph: OnnxGraph) {
    this.#editor = new GraphEditor(graph)
  }

  /** Null for a value that is small enough to be seen whole. */
  of(value: Value, plan: ObserverPlan): Summary | null {
    if (value.stride === 1) return null
    const parts = SUMMARY_PARTS.filter((part) => IS_WANTED[part](value))
    return { parts, outputs: parts.map((part) => this.#part(part, value, plan)) }
  }

  #part(part: SummaryPart, value: Value, plan: ObserverPlan): string {
    switch (part) {
      case 'min':
        return this.#reduce('ReduceMin', value)
      case 'max':
        return isRectified(value) && isBlocked(value)
          ? this.#add('GlobalMaxPool', [value.name])
          : this.#reduce('ReduceMax', value)
      case 'sum':
        return this.#reduce('ReduceSum', value)
      case 'values':
        // Second moments are of neighbours under a window.
        if ((plan.moments ?? []).length > 0) return value.name
        return this.#some(value, plan)
    }
  }

  #some(value: Value, plan: ObserverPlan): string {
    const steps = stepsOf(value, plan)
    return steps === null ? this.#slice(value, plan) : this.#pick(value, steps)
  }

  #reduce(opType: string, { name }: Value): string {
    return this.#add(opType, [name], { keepdims: ['int', 0] })
  }

  /** All channels at evenly spread positions: a convolution by kernels that are zero but for their last number. */
  #pick({ name, shape: [, channels = 0] }: Value, steps: Steps): string {
    const kernel = this.#kernel(channels, steps.map(firstOf) as [number, number])
    return this.#add('Conv', [name, kernel], {
      strides: ['ints', steps],
      group: ['int', channels],
    })
  }

  #kernel(channels: number, shape: readonly [number, number]): string {
    const key = [channels, ...shape].join('x')
    const known = this.#kernels.get(key)
    if (known !== undefined) return known
    const size = shape[0] * shape[1]
    const data = Float32Array.from({ length: channels * size }, (_, i) =>
      i % size === size - 1 ? 1 : 0,
    )
    const name = this.#editor.addConstant('pick', 'float32', [channels, 1, ...shape], data)
    this.#kernels.set(key, name)
    return name
  }

  /** All channels at every nth position. */
  #slice({ name, stride }: Value, { channels, channelsFirst }: ObserverPlan): string {
    const editor = this.#editor
    const flat = channels === 0 ? [-1] : channelsFirst ? [channels, -1] : [-1, channels]
    const axis = editor.addInt64s('axis', [flat.indexOf(-1)])
    const bounds = [[0], [2 ** 31 - 1]].map((bound) => editor.addInt64s('bound', bound))
    const rows = this.#add('Reshape', [name, editor.addInt64s('rows', flat)])
    return this.#add('Slice', [rows, ...bounds, axis, editor.addInt64s('step', [stride])])
  }

  #add(opType: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const output = this.#editor.fresh(`${inputs[0]}/${opType}`)
    this.#editor.graph.node.push(this.#editor.newNode(opType, inputs, [output], attributes))
    return output
  }
}

const IS_WANTED: Readonly<Record<SummaryPart, (value: Value) => boolean>> = {
  // Every range has zero in it: how far above it the least number lies is worth no pass over them all.
  min: (value) => !isRectified(value),
  max: () => true,
  sum: ({ maker, soundConstants }) =>
    maker === undefined ||
    !KEEPS_NUMBERS.has(maker.kind) ||
    !(CHANNEL_BY_CHANNEL.has(maker.kind) || soundConstants()),
  values: () => true,
}

/** Never negative. */
function isRectified({ maker }: Value): boolean {
  if (maker === undefined) return false
  const { kind, fusedActivation } = maker
  const plain = fusedActivation === 'none' && RECTIFYING_KINDS.has(kind)
  return plain || RECTIFYING_ENDS.has(fusedActivation)
}

function isBlocked({ shape, maker }: Value): boolean {
  const [images, channels = 0] = shape
  const isImage = shape.length === 4 && images === 1 && channels % CHANNELS_PER_BLOCK === 0
  return isImage && maker !== undefined && BLOCKED.has(maker.kind)
}

/** Between positions picked in blocks, with all of their channels; null where none can be: small images have no grid. */
function stepsOf(value: Value, { channels, channelsFirst }: ObserverPlan): Steps | null {
  const [, , height = 1, width = 1] = value.shape
  if (!value.settled || !isBlocked(value) || (channels !== 0 && !channelsFirst)) return null
  const [down, across] = gridOf(height, width, value.stride)
  return down * across === 1 ? null : [down, across]
}
