import type { GraphBuilder } from '../graph-builder.ts'
import { input, type Lowering, option, output, type SourceOperator } from '../lowering.ts'

function resize(mode: 'linear' | 'nearest'): Lowering {
  return (operator, graph) => {
    const from = graph.value(input(operator, 0), 'channels-first')
    const result = graph.define(output(operator), 'channels-first')
    const none = ''
    graph.node('Resize', [from, none, none, sizes(operator, graph, from, result)], [result], {
      mode: ['string', mode],
      coordinate_transformation_mode: ['string', coordinates(operator)],
      ...(mode === 'nearest' ? { nearest_mode: ['string', rounding(operator)] as const } : {}),
    })
  }
}

function coordinates(operator: SourceOperator): string {
  if (option(operator, 'alignCorners', false)) return 'align_corners'
  return option(operator, 'halfPixelCenters', false) ? 'half_pixel' : 'asymmetric'
}

/** Nearest rounds half up with aligned corners and floors otherwise, half-pixel centres being shifted already. */
function rounding(operator: SourceOperator): string {
  return option(operator, 'alignCorners', false) || option(operator, 'halfPixelCenters', false)
    ? 'round_prefer_ceil'
    : 'floor'
}

function sizes(operator: SourceOperator, graph: GraphBuilder, from: string, near: string): string {
  const [batch = 1, , , channels = 1] = graph.shapeOf(input(operator, 0))
  const [height = 1, width = 1] =
    graph.integers(input(operator, 1)) ?? graph.shapeOf(output(operator)).slice(1, 3)
  if (batch > 0 && channels > 0)
    return graph.int64s(`${near}/sizes`, [batch, channels, height, width])
  // Resize knows no "as it is" before opset 18: open dimensions are asked of the input.
  const kept = graph.compute('Shape', [from], near, { start: ['int', 0], end: ['int', 2] })
  const pixels = graph.int64s(`${near}/pixels`, [height, width])
  return graph.compute('Concat', [kept, pixels], near, { axis: ['int', 0] })
}

/** Blocks interleave as TFLite orders them: depth, then block row, block column (ONNX mode DCR). */
const depthToSpace: Lowering = (operator, graph) => {
  const from = graph.value(input(operator, 0), 'channels-first')
  graph.node('DepthToSpace', [from], [graph.define(output(operator), 'channels-first')], {
    blocksize: ['int', option(operator, 'blockSize', 1)],
    mode: ['string', 'DCR'],
  })
}

/** ONNX puts a pixel's channels inside the block's index, as TFLite does. */
const spaceToDepth: Lowering = (operator, graph) => {
  const from = graph.value(input(operator, 0), 'channels-first')
  graph.node('SpaceToDepth', [from], [graph.define(output(operator), 'channels-first')], {
    blocksize: ['int', option(operator, 'blockSize', 1)],
  })
}

export const RESIZES: Readonly<Record<string, Lowering>> = {
  RESIZE_BILINEAR: resize('linear'),
  RESIZE_NEAREST_NEIGHBOR: resize('nearest'),
  DEPTH_TO_SPACE: depthToSpace,
  SPACE_TO_DEPTH: spaceToDepth,
}
