import { sizeOf } from '../../../../../shared/tensors.ts'
import { stringOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { mul, reduce, shapeOf } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape, turn } from '../graph-builder.ts'
import { type Lowering, type LoweringRow, output, row } from '../lowering.ts'
import { batchMatmul } from './matrices.ts'

/** A tensor whose axes have letters. */
interface Labelled {
  readonly tensor: DraftTensor
  readonly labels: readonly string[]
}

/** Two at a time: a sum of products is a product of matrices over the letters that vanish. */
const einsum: Lowering = (node, graph) => {
  const operands = node.input.map((name) => graph.value(name))
  const { terms, result } = parse(
    stringOf(node, 'equation', ''),
    operands.map((one) => shapeOf(one).length),
  )
  const labelled = operands.map((tensor, i) =>
    withoutRepeats(graph, { tensor, labels: terms[i] as string[] }),
  )
  const [first, ...rest] = labelled as [Labelled, ...Labelled[]]
  const combined = rest.reduce((left, right, i) => {
    const later = new Set([...result, ...rest.slice(i + 1).flatMap(({ labels }) => labels)])
    return contract(
      graph,
      summed(graph, left, new Set([...later, ...right.labels])),
      summed(graph, right, new Set([...later, ...left.labels])),
      later,
    )
  }, first)
  const left = summed(graph, combined, new Set(result))
  const order = result.map((label) => left.labels.indexOf(label))
  graph.give(output(node), 'source', turn(graph, left.tensor, order))
}

/** Letters of each operand and of the result; an ellipsis becomes letters of its own. */
function parse(
  equation: string,
  ranks: readonly number[],
): { terms: string[][]; result: string[] } {
  const [left = '', right] = equation.replaceAll(' ', '').split('->')
  const dots = left
    .split(',')
    .map((term, i) =>
      term.includes('...') ? (ranks[i] as number) - term.replace('...', '').length : 0,
    )
  const most = Math.max(0, ...dots)
  const labels = (term: string, count: number) => {
    const [before = '', after] = term.split('...')
    if (after === undefined) return [...before]
    return [...before, ...Array.from({ length: count }, (_, i) => `…${most - count + i}`), ...after]
  }
  const terms = left.split(',').map((term, i) => labels(term, dots[i] as number))
  need(
    terms.length === ranks.length && terms.every((term, i) => term.length === ranks[i]),
    `its equation "${equation}" does not fit its operands`,
  )
  if (right !== undefined) return { terms, result: labels(right, most) }
  const all = terms.flat()
  const once = [...new Set(all)].filter((label) => all.filter((one) => one === label).length === 1)
  const ellipsis = [...new Set(all)].filter((label) => label.startsWith('…'))
  return { terms, result: [...ellipsis, ...once.filter((label) => !label.startsWith('…')).sort()] }
}

/** A letter twice in one operand means its diagonal: every (n + 1)-th element of both axes in one. */
function withoutRepeats(graph: GraphBuilder, one: Labelled): Labelled {
  const { tensor, labels } = one
  const second = labels.findIndex((label, axis) => labels.indexOf(label) < axis)
  if (second < 0) return one
  const first = labels.indexOf(labels[second] as string)
  const others = labels.flatMap((_, axis) => (axis === first || axis === second ? [] : [axis]))
  const turned = turn(graph, tensor, [...others, first, second])
  const shape = shapeOf(turned)
  const size = shape.at(-1) as number
  const flat = reshape(graph, turned, [...shape.slice(0, -2), size * size])
  const places = Int32Array.from({ length: size }, (_, i) => i * (size + 1))
  const indices = graph.constant('diagonal', 'int32', [size], places)
  const diagonal = graph.compute('GATHER', [flat, indices], shape.slice(0, -1), {
    axis: shape.length - 2,
    batchDims: 0,
  })
  const left = {
    tensor: diagonal,
    labels: [...others, first].map((axis) => labels[axis] as string),
  }
  return withoutRepeats(graph, left)
}

/** Letters that nobody asks for are added up. */
function summed(
  graph: GraphBuilder,
  { tensor, labels }: Labelled,
  kept: ReadonlySet<string>,
): Labelled {
  const axes = labels.flatMap((label, axis) => (kept.has(label) ? [] : [axis]))
  if (axes.length === 0) return { tensor, labels }
  return {
    tensor: reduce(graph, 'SUM', tensor, axes, false),
    labels: labels.filter((label) => kept.has(label)),
  }
}

function contract(
  graph: GraphBuilder,
  a: Labelled,
  b: Labelled,
  kept: ReadonlySet<string>,
): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label))
  const batch = shared.filter((label) => kept.has(label))
  const inner = shared.filter((label) => !kept.has(label))
  const rows = a.labels.filter((label) => !shared.includes(label))
  const columns = b.labels.filter((label) => !shared.includes(label))
  const labels = [...batch, ...rows, ...columns]
  if (inner.length === 0 && (rows.length === 0 || columns.length === 0))
    return outer(graph, a, b, labels)
  const left = grouped(graph, a, [batch, rows, inner])
  const right = grouped(graph, b, [batch, columns, inner])
  const product = batchMatmul(graph, left, right, true)
  const size = (label: string) => sizeIn(a, label) ?? (sizeIn(b, label) as number)
  return { tensor: reshape(graph, product, labels.map(size)), labels }
}

function sizeIn({ tensor, labels }: Labelled, label: string): number | undefined {
  const axis = labels.indexOf(label)
  return axis < 0 ? undefined : shapeOf(tensor)[axis]
}

/** Axes turned into the order of the groups, each group one axis. */
function grouped(
  graph: GraphBuilder,
  one: Labelled,
  groups: readonly (readonly string[])[],
): DraftTensor {
  const order = groups.flat().map((label) => one.labels.indexOf(label))
  const sizes = groups.map((labels) => sizeOf(labels.map((label) => sizeIn(one, label) as number)))
  return reshape(graph, turn(graph, one.tensor, order), sizes)
}

/** Nothing vanishes: a product of elements. */
function outer(graph: GraphBuilder, a: Labelled, b: Labelled, labels: readonly string[]): Labelled {
  const spread = (one: Labelled) => {
    const present = labels.filter((label) => one.labels.includes(label))
    const turned = turn(
      graph,
      one.tensor,
      present.map((label) => one.labels.indexOf(label)),
    )
    return reshape(
      graph,
      turned,
      labels.map((label) => sizeIn(one, label) ?? 1),
    )
  }
  return { tensor: mul(graph, spread(a), spread(b)), labels }
}

export const EINSUM: Readonly<Record<string, LoweringRow>> = { Einsum: row(einsum) }
