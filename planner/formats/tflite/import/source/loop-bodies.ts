import type { ElementType } from '../../../../../shared/tensors.ts'
import {
  newMessage,
  OnnxError,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
  readOnnx,
  writeOnnx,
} from '../../../onnx/index.ts'
import { GraphEditor, readInside, type ValueTypes } from '../../../onnx/source.ts'
import { need, Refusal } from '../errors.ts'
import { bodyOf, typedValue } from './nested-graphs.ts'
import { type LoopBody, type Loops, SourceGraph } from './source-graph.ts'
import { goesOn, numberOf } from './unroll-loops.ts'

/** What a loop may carry from turn to turn. */
const CARRIED: ReadonlySet<string> = new Set(['float32', 'int32', 'int64', 'bool'])

/** A damaged file may ask for more than anybody waits for. */
const MOST_TURNS = 2 ** 20

/** Brings a body, as a model of its own, into the form that lowerings know. */
type Prepare = (model: OnnxModel) => Promise<{ types: ValueTypes; loops: Loops }>

/**
 * Closes the sizes of what comes out of loops that are not written out: what they carry keeps its size from turn to turn,
 * or there is no .tflite form. Changes `graph`, and `loops`, which learns bodies, or why there is none.
 * @returns how many were closed
 */
export async function closeLoops(
  model: OnnxModel,
  graph: OnnxGraph,
  types: ValueTypes,
  loops: Map<OnnxNode, LoopBody | string>,
  prepare: Prepare,
): Promise<number> {
  let closed = 0
  for (const node of [...graph.node]) {
    const isOpen = typeof (loops.get(node) ?? '') === 'string'
    if (node.opType !== 'Loop' || node.domain !== '' || !isOpen) continue
    const around = new SourceGraph(graph, types, loops)
    try {
      const body = await loopBody(node, {
        model,
        around,
        editor: new GraphEditor(graph, types),
        prepare,
      })
      loops.set(node, body)
      giveSizes(new GraphEditor(graph), node, around, body)
      closed += 1
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof OnnxError)) throw error
      loops.set(node, error instanceof Refusal ? error.message : `its body: ${error.message}`)
    }
  }
  return closed
}

interface Place {
  readonly model: OnnxModel
  readonly around: SourceGraph
  readonly editor: GraphEditor
  readonly prepare: Prepare
}

/** @throws Refusal; OnnxError */
async function loopBody(node: OnnxNode, place: Place): Promise<LoopBody> {
  const { around, editor, prepare } = place
  const body = bodyOf(node, 'body')
  const [limit = '', given = '', ...states] = node.input
  need(
    body?.input.length === 2 + states.length && body.output.length > states.length,
    'its body takes or gives other values than the loop',
  )
  const start = given === '' ? 1 : numberOf(given, editor)
  const unconditional = start === 1 && goesOn(body, editor)
  need(limit !== '' || !unconditional, 'it never ends')
  const turns = unconditional ? numberOf(limit, editor) : null
  need((turns ?? 0) <= MOST_TURNS, `it turns ${turns} times, which nobody waits for`)
  const stacks = body.output.flatMap((_, i) => {
    const name = node.output[i - 1] ?? ''
    return i > states.length && name !== '' && around.isRead(name) ? [i] : []
  })
  need(
    stacks.length === 0 || (turns !== null && turns > 0),
    'how much it gathers is known only when the model runs',
  )
  const { own, captured } = ownModel(node, body, place)
  const { types, loops } = await prepare(own)
  const graph = own.graph as OnnxGraph
  const source = new SourceGraph(graph, types, loops)
  const results = graph.output.map(({ name }) => name)
  for (const [i, state] of states.entries()) {
    const result = results[i + 1] as string
    need(
      source.shapeOf(result).join() === around.shapeOf(state).join() &&
        source.typeOf(result) === around.typeOf(state),
      'what it carries changes its size or its type from turn to turn',
    )
  }
  return {
    source,
    inputs: graph.input.map(({ name }) => name),
    captured,
    condition: unconditional ? null : (results[0] as string),
    states: results.slice(1, 1 + states.length),
    stacks: stacks.map((i) => ({ at: i - 1, result: results[i] as string, turns: turns ?? 0 })),
  }
}

/** The body with its inputs closed; behind them stand values of the graphs around it that it reads. */
function ownModel(node: OnnxNode, body: OnnxGraph, { model, around }: Place) {
  const inside = new Set([
    ...body.input.map(({ name }) => name),
    ...body.initializer.map(({ name }) => name),
    ...body.node.flatMap(({ output }) => output),
  ])
  const outside = [...new Set(readInside(node))].filter(
    (name) => name !== '' && !inside.has(name) && around.knows(name),
  )
  const constants = around.graph.initializer.filter(({ name }) => outside.includes(name))
  const captured = outside.filter((name) => !constants.some((tensor) => tensor.name === name))
  const [turn, going, ...states] = body.input as [OnnxValueInfo, OnnxValueInfo]
  const closed = (name: string, value: string) =>
    typed(name, around.typeOf(value), around.shapeOf(value))
  const graph = newMessage('GraphProto', {
    name: body.name || 'body',
    input: [
      typed(turn.name, 'int64', single(turn)),
      typed(going.name, 'bool', single(going)),
      ...states.map(({ name }, i) => closed(name, node.input[i + 2] as string)),
      ...captured.map((name) => closed(name, name)),
    ],
    initializer: [...body.initializer, ...constants],
    node: [...body.node],
  })
  const editor = new GraphEditor(graph)
  // Inputs and constants that are results as well want a node that gives them out.
  for (const { name } of body.output) {
    const told = editor.fresh(`${name}/told`)
    graph.node.push(editor.newNode('Identity', [name], [told]))
    graph.output.push(newMessage('ValueInfoProto', { name: told }))
  }
  const whole = newMessage('ModelProto', { ...model, functions: [], graph })
  return { own: readOnnx(writeOnnx(whole), 'body.onnx'), captured }
}

/** Turn and condition are one number each, as the body says in a list of one or by itself. */
function single({ type }: OnnxValueInfo): readonly number[] {
  const dims = type?.value.case === 'tensorType' ? type.value.value.shape?.dim : undefined
  return dims?.length === 1 ? [1] : []
}

function typed(name: string, type: ElementType, shape: readonly number[]): OnnxValueInfo {
  need(CARRIED.has(type), `it carries ${type}, which no loop of .tflite does here`)
  return typedValue(name, type, shape)
}

/** Inference does not know that sizes stay: a Reshape to them says so, and does nothing. */
function giveSizes(editor: GraphEditor, node: OnnxNode, around: SourceGraph, body: LoopBody): void {
  const shapes = body.states.map((_, i) => around.shapeOf(node.input[i + 2] as string))
  for (const { at, result, turns } of body.stacks)
    shapes[at] = [turns, ...body.source.shapeOf(result)]
  const sized = node.output.flatMap((name, i) => {
    const shape = shapes[i]
    if (name === '' || shape === undefined) return []
    const carried = editor.fresh(`${name}/carried`)
    node.output[i] = carried
    return [editor.newNode('Reshape', [carried, editor.addInt64s(`${name}/sizes`, shape)], [name])]
  })
  editor.replace(node, node, ...sized)
}
