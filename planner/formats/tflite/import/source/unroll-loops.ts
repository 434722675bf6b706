import { dataOf, type OnnxGraph, type OnnxNode } from '../../../onnx/index.ts'
import { GraphEditor, intOf, intsOf, tensorOf, type ValueTypes } from '../../../onnx/source.ts'
import { bodyOf, copiesOf, withConstants } from './nested-graphs.ts'

/** Written out, a loop is as long as all its turns. */
export const MOST_TURNS = 512
const MOST_NODES = 20_000

/**
 * Writes out loops whose number of turns is known beforehand: a Loop with a constant limit, its condition constant or, if it
 * gathers nothing on its way, computed; a Scan along an axis of known size. Changes `graph`.
 * @returns how many were written out
 */
export function unrollLoops(graph: OnnxGraph, types: ValueTypes): number {
  const editor = new GraphEditor(graph, types)
  return graph.node
    .filter(({ opType, domain }) => domain === '' && opType in UNROLLED)
    .filter((node) => {
      const nodes = UNROLLED[node.opType]?.(node, editor) ?? null
      if (nodes !== null) editor.replace(node, ...nodes)
      return nodes !== null
    }).length
}

type Unroll = (node: OnnxNode, editor: GraphEditor) => OnnxNode[] | null

const UNROLLED: Readonly<Record<string, Unroll>> = { Loop: unrolledLoop, Scan: unrolledScan }

function placeOf(node: OnnxNode): string {
  return node.name || (node.output.find(Boolean) ?? node.opType)
}

function isTooLong(turns: number, body: OnnxGraph): boolean {
  return turns > MOST_TURNS || turns * body.node.length > MOST_NODES
}

/** Body: turn, condition, carried… → condition, carried…, gathered… (onnx, Operators: Loop). */
function unrolledLoop(node: OnnxNode, editor: GraphEditor): OnnxNode[] | null {
  const body = bodyOf(node, 'body')
  const [limit, given = '', ...carried] = node.input
  const turns = numberOf(limit, editor)
  if (body === undefined || turns === null || isTooLong(turns, body)) return null
  const start = given === '' ? 1 : numberOf(given, editor)
  const gathers = body.output.length > 1 + carried.length
  const unconditional = start === 1 && goesOn(body, editor)
  if (start === 0 || turns <= 0) return gathers ? null : ends(editor, node, carried, [])
  if (gathers && !unconditional) return null

  const place = placeOf(node)
  const constants = withConstants(editor, body, place)
  const going = given === '' ? addFlag(editor, place) : given
  let state: Turn = { going, carried, certain: start === 1 }
  const nodes: OnnxNode[] = []
  const gathered: string[][] = []
  for (let turn = 0; turn < turns; turn += 1) {
    const index = editor.addConstant(`${place}/turn`, 'int64', [], BigInt64Array.of(BigInt(turn)))
    const names = bound(body, [index, state.going, ...state.carried], constants)
    nodes.push(...copiesOf(editor, body, `${place}/${turn}`, names))
    const [condition = '', ...results] = body.output.map(({ name }) => names.get(name) ?? name)
    gathered.push(results.slice(carried.length))
    const next = results.slice(0, carried.length)
    if (unconditional) state = { ...state, carried: next }
    else state = held(editor, nodes, state, { condition, carried: next })
  }
  const stacks = body.output
    .slice(1 + carried.length)
    .map((_, i) => gathered.map((results) => results[i] as string))
  return [
    ...nodes,
    ...ends(
      editor,
      node,
      state.carried,
      stacks.map((parts) => ({ parts })),
    ),
  ]
}

interface Turn {
  /** Whether this turn still happens, and whether that is certain. */
  readonly going: string
  readonly certain: boolean
  readonly carried: readonly string[]
}

/** After a turn that may not have happened, values are what they were before it. */
function held(
  editor: GraphEditor,
  nodes: OnnxNode[],
  before: Turn,
  after: { readonly condition: string; readonly carried: readonly string[] },
): Turn {
  const made = (opType: string, inputs: readonly string[], base: string) => {
    const name = editor.fresh(base)
    nodes.push(editor.newNode(opType, inputs, [name]))
    return name
  }
  if (before.certain) return { going: after.condition, carried: after.carried, certain: false }
  return {
    going: made('And', [before.going, after.condition], `${after.condition}/going`),
    carried: after.carried.map((name, i) =>
      made('Where', [before.going, name, before.carried[i] as string], `${name}/held`),
    ),
    certain: false,
  }
}

/** Body: states…, elements… → states…, results… (onnx, Operators: Scan). */
function unrolledScan(node: OnnxNode, editor: GraphEditor): OnnxNode[] | null {
  const body = bodyOf(node, 'body')
  const scanned = intOf(node, 'num_scan_inputs', 0)
  const states = node.input.length - scanned
  const sequences = node.input.slice(states)
  const axes = intsOf(node, 'scan_input_axes') ?? sequences.map(() => 0)
  const [first = ''] = sequences
  const turns = editor.typeOf(first).shape?.at(axes[0] ?? 0) ?? -1
  if (body === undefined || turns < 1 || isTooLong(turns, body)) return null
  const place = placeOf(node)
  const constants = withConstants(editor, body, place)
  const backwards = intsOf(node, 'scan_input_directions') ?? []
  const nodes: OnnxNode[] = []
  const gathered: string[][] = []
  let carried = node.input.slice(0, states)
  for (let turn = 0; turn < turns; turn += 1) {
    const elements = sequences.map((from, i) => {
      const at = backwards[i] === 1 ? turns - 1 - turn : turn
      const index = editor.addConstant(`${place}/at`, 'int64', [], BigInt64Array.of(BigInt(at)))
      const name = editor.fresh(`${from}/${at}`)
      nodes.push(editor.newNode('Gather', [from, index], [name], { axis: ['int', axes[i] ?? 0] }))
      return name
    })
    const names = bound(body, [...carried, ...elements], constants)
    nodes.push(...copiesOf(editor, body, `${place}/${turn}`, names))
    const results = body.output.map(({ name }) => names.get(name) ?? name)
    carried = results.slice(0, states)
    gathered.push(results.slice(states))
  }
  const outAxes = intsOf(node, 'scan_output_axes') ?? []
  const outBackwards = intsOf(node, 'scan_output_directions') ?? []
  const stacks = body.output.slice(states).map((_, i) => {
    const parts = gathered.map((results) => results[i] as string)
    return { parts: outBackwards[i] === 1 ? parts.reverse() : parts, axis: outAxes[i] ?? 0 }
  })
  return [...nodes, ...ends(editor, node, carried, stacks)]
}

interface Stack {
  readonly parts: readonly string[]
  readonly axis?: number
}

/** The loop's results under its own names: what it carried, then what it gathered, stacked along an axis of its own. */
function ends(
  editor: GraphEditor,
  node: OnnxNode,
  carried: readonly string[],
  stacks: readonly Stack[],
): OnnxNode[] {
  const kept = carried.flatMap((name, i) =>
    node.output[i] ? [editor.newNode('Identity', [name], [node.output[i]])] : [],
  )
  const stacked = stacks.flatMap(({ parts, axis = 0 }, i) => {
    const name = node.output[carried.length + i] ?? ''
    if (name === '') return []
    const axes = editor.addInt64s(`${name}/axis`, [axis])
    const layers = parts.map((part) =>
      editor.newNode('Unsqueeze', [part, axes], [editor.fresh(`${name}/layer`)]),
    )
    const made = layers.map(({ output }) => output[0] as string)
    return [...layers, editor.newNode('Concat', made, [name], { axis: ['int', axis] })]
  })
  return [...kept, ...stacked]
}

function bound(
  body: OnnxGraph,
  values: readonly string[],
  constants: ReadonlyMap<string, string>,
): Map<string, string> {
  const inputs = body.input.map(({ name }, i) => [name, values[i] ?? ''] as const)
  return new Map([...constants, ...inputs])
}

function addFlag(editor: GraphEditor, place: string): string {
  return editor.addConstant(`${place}/going`, 'bool', [], Uint8Array.of(1))
}

export function numberOf(name: string | undefined, editor: GraphEditor): number | null {
  const constant = editor.constant(name)
  return constant === undefined ? null : Number(dataOf(constant)[0])
}

/** Whether the condition is true after every turn, or what it was before. */
export function goesOn(body: OnnxGraph, editor: GraphEditor): boolean {
  let name = body.output[0]?.name ?? ''
  for (;;) {
    const maker = body.node.find(({ output }) => output.includes(name))
    if (maker === undefined) break
    if (maker.opType === 'Constant') return isTrue(tensorOf(maker, 'value'))
    if (maker.opType !== 'Identity' && maker.opType !== 'Cast') return false
    name = maker.input[0] ?? ''
  }
  const own = body.initializer.find((tensor) => tensor.name === name)
  return name === body.input[1]?.name || isTrue(own ?? editor.constant(name))
}

function isTrue(tensor: Parameters<typeof dataOf>[0] | undefined): boolean {
  return tensor !== undefined && Number(dataOf(tensor)[0]) !== 0
}
