import { MetricError } from '../errors.ts'
import type { Answer, RealOutput } from '../meter.ts'
import { outputOf, shapeText } from '../truth.ts'
import { anchorsFor, type BoxCode, boxFrom } from './anchors.ts'
import type { Detection } from './box.ts'

/** How boxes are read from a detector's outputs. */
export interface LayoutOptions extends BoxCode {
  /** Outputs by name, where they cannot be told by their order. */
  readonly boxes: string | null
  readonly scores: string | null
  readonly strides: readonly number[]
  /** Numbers of a box: pixels of the input, or shares of its sides. */
  readonly unit: 'auto' | 'pixels' | 'shares'
  readonly corners: 'yxyx' | 'xyxy' | 'cxcywh'
  /** What scores still need to be shares. */
  readonly activation: 'none' | 'sigmoid' | 'softmax'
  /** Scores of this many first classes stand for no object. */
  readonly background: number
  /** Boxes that score less are not looked at. */
  readonly score: number
}

export interface InputSize {
  readonly width: number
  readonly height: number
}

type Layout = (answer: Answer, options: LayoutOptions, size: InputSize) => Detection[]

/** Outputs as known families of detectors leave them; decoded boxes, but for YOLOX, whose grids are added here, and for anchors. */
export const LAYOUTS = {
  /** N×(5 + classes): cell offsets and logarithms of sizes on the grids of the strides, objectness, classes. (Ge et al. 2021.) */
  yolox: (answer, options, size) =>
    fromRows(answer, options, { head: 5, size, decode: gridDecoder(options.strides, size) }),
  /** N×(5 + classes): centre and size, objectness, classes. */
  yolov5: (answer, options, size) =>
    fromRows(answer, options, { head: 5, size, decode: centreDecoder }),
  /** (4 + classes)×N or the other way round: centre and size behind the DFL, classes without objectness. */
  yolov8: (answer, options, size) =>
    fromRows(answer, options, { head: 4, size, decode: centreDecoder }),
  /** N×4 boxes and N×classes scores, each an output of its own. */
  apart: fromPair,
  /** N×(4 and more) regressions from anchors, and N×classes scores. */
  anchors: fromAnchors,
  /** TFLite_Detection_PostProcess: boxes, classes, scores, count. */
  ssd: fromPostProcess,
} as const satisfies Record<string, Layout>

export type LayoutName = keyof typeof LAYOUTS
export const LAYOUT_NAMES = Object.keys(LAYOUTS) as [LayoutName, ...LayoutName[]]

type Quad = readonly [number, number, number, number]

interface RowForm {
  /** Numbers before the classes. */
  readonly head: 4 | 5
  readonly size: InputSize
  /** Centre and size from the first four numbers of a row. @param rows how many there are */
  decode(row: number, quad: Quad, rows: number): Quad
}

const centreDecoder = (_row: number, quad: Quad): Quad => quad

function gridDecoder(strides: readonly number[], { width, height }: InputSize) {
  const grids = strides.map((stride) => {
    const columns = Math.floor(width / stride)
    return { stride, columns, cells: columns * Math.floor(height / stride) }
  })
  const cells = grids.reduce((sum, grid) => sum + grid.cells, 0)
  return (row: number, [x, y, w, h]: Quad, rows: number): Quad => {
    if (rows !== cells) {
      throw new MetricError(
        'wrong-outputs',
        `the output has ${rows} boxes, and grids of strides ${strides.join('/')} on ${width}×${height} pixels have ${cells}: give strides=A/B/C, or another layout`,
      )
    }
    let at = row
    for (const grid of grids) {
      if (at < grid.cells) {
        const column = at % grid.columns
        const line = Math.floor(at / grid.columns)
        const { stride } = grid
        return [
          (x + column) * stride,
          (y + line) * stride,
          Math.exp(w) * stride,
          Math.exp(h) * stride,
        ]
      }
      at -= grid.cells
    }
    return [x, y, w, h]
  }
}

function fromRows(answer: Answer, options: LayoutOptions, form: RowForm): Detection[] {
  const output = outputOf(answer, options.boxes)
  const { rows, numbers, at } = tableOf(output, form.head)
  const classes = numbers - form.head
  const found: Detection[] = []
  const scale = scaleOf(options.unit, form.size, () => {
    for (let row = 0; row < rows; row += 1) if (at(row, 2) > 2 || at(row, 3) > 2) return 'pixels'
    return 'shares'
  })
  const decodes = form.decode !== centreDecoder
  for (let row = 0; row < rows; row += 1) {
    const object = form.head === 5 ? at(row, 4) : 1
    // No class scores more than 1.
    if (!(object >= options.score)) continue
    const { label, score } = bestOf((place) => at(row, form.head + place), classes, options)
    if (!(object * score >= options.score)) continue
    const quad = form.decode(row, [at(row, 0), at(row, 1), at(row, 2), at(row, 3)], rows)
    const [x, y, w, h] = decodes ? quad : scaled(quad, scale)
    found.push({
      left: x - w / 2,
      top: y - h / 2,
      right: x + w / 2,
      bottom: y + h / 2,
      label,
      score: object * score,
    })
  }
  return found
}

/** Boxes are many, numbers of a box few, whichever comes first. */
function tableOf(output: RealOutput, head: number) {
  const [first = 0, second = 0, ...more] = output.shape.filter(
    (_, axis) => axis > 0 || output.shape.length < 3,
  )
  if (more.length > 0 || Math.min(first, second) <= head) {
    throw new MetricError(
      'wrong-outputs',
      `output "${output.name}" is ${shapeText(output.shape)}: this layout takes boxes × (${head} + classes) numbers; choose another with layout=NAME`,
    )
  }
  const { values } = output
  return first >= second
    ? {
        rows: first,
        numbers: second,
        at: (row: number, i: number) => values[row * second + i] as number,
      }
    : {
        rows: second,
        numbers: first,
        at: (row: number, i: number) => values[i * second + row] as number,
      }
}

function bestOf(
  scoreAt: (place: number) => number,
  classes: number,
  { background }: LayoutOptions,
): { label: number; score: number } {
  let [label, score] = [background, scoreAt(background)]
  for (let place = background + 1; place < classes; place += 1) {
    const value = scoreAt(place)
    if (value > score) [label, score] = [place, value]
  }
  return { label: label - background, score }
}

function fromPair(answer: Answer, options: LayoutOptions, size: InputSize): Detection[] {
  const boxes = pairMember(answer, options.boxes, (last) => last === 4, 'boxes')
  const scores = pairMember(answer, options.scores, (_, one) => one !== boxes, 'scores')
  const rows = boxes.values.length / 4
  const classes = scores.values.length / rows
  if (!Number.isInteger(classes) || classes <= options.background) throw mismatched(boxes, scores)
  const scale = scaleOf(options.unit, size, () => (largest(boxes.values) > 2 ? 'pixels' : 'shares'))
  const found: Detection[] = []
  for (let row = 0; row < rows; row += 1) {
    const { label, score } = bestOf(sharesAt(scores, row, classes, options), classes, options)
    if (!(score >= options.score)) continue
    found.push({ ...cornersOf(boxes.values, row, options.corners, scale), label, score })
  }
  return found
}

function fromAnchors(answer: Answer, options: LayoutOptions, size: InputSize): Detection[] {
  const anchors = anchorsFor(answer, options)
  const { rows } = anchors
  const isBoxes = (one: RealOutput) => one.values.length >= 4 * rows && one.shape.at(-1) !== rows
  const boxes = pairMember(answer, options.boxes, (_, one) => isBoxes(one), 'boxes')
  const scores = pairMember(answer, options.scores, (_, one) => one !== boxes, 'scores')
  const [numbers, classes] = [boxes.values.length / rows, scores.values.length / rows]
  const fits = Number.isInteger(numbers) && Number.isInteger(classes) && numbers >= 4
  if (!fits || classes <= options.background) {
    throw new MetricError(
      'wrong-outputs',
      `there are ${rows} anchors, and boxes "${boxes.name}" are ${shapeText(boxes.shape)}, scores "${scores.name}" ${shapeText(scores.shape)}: the anchors belong to another model, or name outputs with boxes=NAME,scores=NAME`,
    )
  }
  const found: Detection[] = []
  for (let row = 0; row < rows; row += 1) {
    const { label, score } = bestOf(sharesAt(scores, row, classes, options), classes, options)
    if (!(score >= options.score)) continue
    const told = (i: number) => boxes.values[row * numbers + i] as number
    const [x, y, w, h] = scaled(boxFrom(told, anchors, row, options), size)
    const [left, top] = [x - w / 2, y - h / 2]
    found.push({ left, top, right: left + w, bottom: top + h, label, score })
  }
  return found
}

/** Scores of one box, as shares. */
function sharesAt(
  { values }: RealOutput,
  row: number,
  classes: number,
  { activation }: LayoutOptions,
): (place: number) => number {
  const at = (place: number) => values[row * classes + place] as number
  if (activation === 'none') return at
  if (activation === 'sigmoid') return (place) => 1 / (1 + Math.exp(-at(place)))
  const logits = Array.from({ length: classes }, (_, place) => at(place))
  const most = Math.max(...logits)
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0)
  return (place) => Math.exp(at(place) - most) / sum
}

function pairMember(
  { outputs }: Answer,
  name: string | null,
  fits: (last: number | undefined, output: RealOutput) => boolean,
  what: string,
): RealOutput {
  if (name !== null) return outputOf({ outputs } as Answer, name)
  const found = outputs.find((one) => fits(one.shape.at(-1), one))
  if (found !== undefined) return found
  throw new MetricError(
    'wrong-outputs',
    `none of the outputs looks like ${what} (${outputs.map((one) => `${one.name} ${shapeText(one.shape)}`).join(', ')}): name it with ${what}=NAME`,
  )
}

function mismatched(boxes: RealOutput, scores: RealOutput): MetricError {
  return new MetricError(
    'wrong-outputs',
    `boxes "${boxes.name}" (${shapeText(boxes.shape)}) and scores "${scores.name}" (${shapeText(scores.shape)}) do not belong together: name them with boxes=NAME,scores=NAME`,
  )
}

function fromPostProcess(answer: Answer, options: LayoutOptions, size: InputSize): Detection[] {
  const [boxes, labels, scores] = answer.outputs
  const count = boxes === undefined ? 0 : boxes.values.length / 4
  if (
    !boxes ||
    !labels ||
    !scores ||
    labels.values.length !== count ||
    scores.values.length !== count
  ) {
    throw new MetricError(
      'wrong-outputs',
      'layout ssd takes the outputs of TFLite_Detection_PostProcess, i.e. boxes, classes, scores and their count: choose another with layout=NAME',
    )
  }
  const scale = scaleOf(options.unit, size, () => 'shares')
  const found: Detection[] = []
  for (let row = 0; row < Math.min(count, answer.outputs[3]?.values[0] ?? count); row += 1) {
    const score = scores.values[row] as number
    if (!(score >= options.score)) continue
    const label = Math.round(labels.values[row] as number)
    found.push({ ...cornersOf(boxes.values, row, 'yxyx', scale), label, score })
  }
  return found
}

function cornersOf(
  values: ArrayLike<number>,
  row: number,
  corners: LayoutOptions['corners'],
  scale: InputSize,
) {
  const quad: Quad = [0, 1, 2, 3].map((i) => values[4 * row + i] as number) as never
  if (corners === 'cxcywh') {
    const [x, y, w, h] = scaled(quad, scale)
    return { left: x - w / 2, top: y - h / 2, right: x + w / 2, bottom: y + h / 2 }
  }
  const [a, b, c, d] = corners === 'xyxy' ? quad : ([quad[1], quad[0], quad[3], quad[2]] as const)
  const [left, top, right, bottom] = scaled([a, b, c, d], scale)
  return { left, top, right, bottom }
}

function scaleOf(
  unit: LayoutOptions['unit'],
  size: InputSize,
  guess: () => 'pixels' | 'shares',
): InputSize {
  const known = unit === 'auto' ? guess() : unit
  return known === 'shares' ? size : { width: 1, height: 1 }
}

function scaled([x, y, w, h]: Quad, { width, height }: InputSize): Quad {
  return [x * width, y * height, w * width, h * height]
}

function largest(values: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < values.length; i += 1) most = Math.max(most, values[i] as number)
  return most
}
