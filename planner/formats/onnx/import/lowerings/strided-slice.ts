import { ImportError } from '../errors.ts'
import { input, type Lowering, option, output } from '../lowering.ts'

const UNBOUNDED = 2 ** 31 - 1

/** x[begin:end:stride] with NumPy's masks: bit i of a mask speaks of dimension i of the slice spec. */
export const stridedSlice: Lowering = (operator, graph) => {
  const [begins, ends, strides] = [1, 2, 3].map((at) => graph.integers(input(operator, at)))
  const odd = option(operator, 'ellipsisMask', 0) !== 0 || option(operator, 'newAxisMask', 0) !== 0
  if (!begins || !ends || !strides || odd) {
    throw new ImportError(
      'unsupported-model',
      'STRIDED_SLICE with bounds computed at run time, an ellipsis or new axes',
    )
  }
  const masked = (mask: string, axis: number) => (option(operator, mask, 0) & (1 << axis)) !== 0
  const bounds = begins.map((begin, axis) => {
    const stride = strides[axis] as number
    const shrinks = masked('shrinkAxisMask', axis)
    const open = stride > 0 ? [0, UNBOUNDED] : [UNBOUNDED, -UNBOUNDED]
    const from = masked('beginMask', axis) && !shrinks ? open[0] : begin
    const to = masked('endMask', axis) && !shrinks ? open[1] : (ends[axis] as number)
    // One element: the next index, or the end when that would be 0 of a negative index.
    const next = begin === -1 ? UNBOUNDED : begin + 1
    return {
      from: from as number,
      to: shrinks ? next : (to as number),
      stride: shrinks ? 1 : stride,
      shrinks,
      axis,
    }
  })
  const shrunk = bounds.filter(({ shrinks }) => shrinks).map(({ axis }) => axis)
  const result = graph.define(output(operator), 'native')
  const inputs = [
    graph.value(input(operator, 0)),
    graph.int64s(
      `${result}/from`,
      bounds.map(({ from }) => from),
    ),
    graph.int64s(
      `${result}/to`,
      bounds.map(({ to }) => to),
    ),
    graph.int64s(
      `${result}/axes`,
      bounds.map(({ axis }) => axis),
    ),
    graph.int64s(
      `${result}/strides`,
      bounds.map(({ stride }) => stride),
    ),
  ]
  if (shrunk.length === 0) return graph.node('Slice', inputs, [result])
  const kept = graph.compute('Slice', inputs, result)
  graph.node('Squeeze', [kept, graph.int64s(`${result}/shrunk`, shrunk)], [result])
}
