import t from 'tap'
import { AveragePrecision, type Wanted } from '../../../shared/metrics/boxes/average-precision.ts'
import type { Detection } from '../../../shared/metrics/boxes/box.ts'
import { suppressed } from '../../../shared/metrics/boxes/suppression.ts'
import { keepMetric } from '../../../shared/metrics/kept-metric.ts'
import { builtInMetric } from '../../../shared/metrics/read-metric.ts'

const IMAGE = { inputs: [{ name: 'images', shape: [1, 3, 64, 32] }] }

function box(label: number, score: number, corners: readonly [number, number, number, number]) {
  const [left, top, right, bottom] = corners
  return { label, score, left, top, right, bottom }
}

/** Scores and shifts by a linear congruential generator, which any other program can repeat. */
function generator() {
  let state = 7
  return () => {
    // Beyond 2^53 a double would round: in two parts.
    const [high, low] = [Math.floor(1103515245 / 65536), 1103515245 % 65536]
    state = (((((state * high) % 2 ** 31) * 65536) % 2 ** 31) + state * low + 12345) % 2 ** 31
    return state / 2 ** 31
  }
}

t.test('as pycocotools has it, with crowds, on 20 images of three classes', async (t) => {
  const random = generator()
  const tally = new AveragePrecision()
  for (let image = 0; image < 20; image += 1) {
    const wanted: Wanted[] = []
    const found: Detection[] = []
    for (let k = 0; k < 6; k += 1) {
      const [left, top, w, h] = [random() * 80, random() * 80, 5 + random() * 30, 5 + random() * 30]
      const label = Math.floor(random() * 3)
      const crowd = random() < 0.1
      wanted.push({ ...box(label, 1, [left, top, left + w, top + h]), crowd })
      for (let n = 0; n < 2; n += 1) {
        const [a, b, c, d] = [0, 0, 0, 0].map(() => (random() - 0.5) * 6) as [
          number,
          number,
          number,
          number,
        ]
        const score = random()
        const other = random() < 0.8 ? label : Math.floor(random() * 3)
        const [x, y] = [left + a, top + b]
        found.push(box(other, score, [x, y, x + w + c * 0.5, y + h + d * 0.5]))
      }
    }
    tally.add(found, wanted)
  }
  const means = tally.means() ?? []
  const coco = means.reduce((sum, mean) => sum + mean, 0) / 10
  // COCOeval of pycocotools 2.0 on the same boxes.
  const expected = [0.2941816026318156, 0.6441392507158791, 0.23406848440745026]
  for (const [i, value] of [coco, means[0], means[5]].entries())
    t.ok(Math.abs((value ?? 0) - (expected[i] ?? 0)) < 1e-9, `${value} for ${expected[i]}`)
})

t.test('suppression leaves boxes of other classes alone', async (t) => {
  const found = [
    box(0, 0.5, [0, 0, 10, 10]),
    box(0, 0.9, [1, 0, 11, 10]),
    box(1, 0.4, [0, 0, 10, 10]),
    box(0, 0.3, [20, 0, 30, 10]),
  ]
  const kept = suppressed(found, 0.5, 100)
  t.same(
    kept.map(({ label, score }) => [label, score]),
    [
      [0, 0.9],
      [1, 0.4],
      [0, 0.3],
    ],
  )
  t.equal(suppressed(found, 1, 100).length, 4, 'an overlap of 1 suppresses nothing')
})

/** One box of class 1, at 8…16 × 16…32, in every layout; an image of 32×64. */
const TRUTH = new Map([['boxes', { shape: [2, 5], values: [1, 8, 16, 16, 32, -1, 0, 0, 0, 0] }]])

const rowsOf = (rows: number, numbers: number, row: number, values: readonly number[]) => {
  const all = new Float32Array(rows * numbers)
  all.set(values, row * numbers)
  return all
}
const transposed = (values: Float32Array, rows: number, numbers: number) =>
  values.map((_, i) => values[(i % rows) * numbers + Math.floor(i / rows)] as number)

/** Strides 8, 16 and 32 make 32 + 8 + 2 boxes; the centre (12, 24) lies in cell (1, 3) of the first. */
const LAYOUT_CASES = [
  {
    metric: 'map,layout=yolox',
    outputs: [
      {
        name: 'out',
        shape: [1, 42, 7],
        values: rowsOf(42, 7, 3 * 4 + 1, [0.5, 0, Math.log(1), Math.log(2), 0.9, 0.1, 0.8]),
      },
    ],
  },
  {
    metric: 'map,layout=yolov5',
    outputs: [
      { name: 'out', shape: [1, 42, 7], values: rowsOf(42, 7, 9, [12, 24, 8, 16, 0.9, 0.1, 0.8]) },
    ],
  },
  {
    metric: 'map,layout=yolov5',
    outputs: [
      {
        name: 'shares',
        shape: [1, 42, 7],
        values: rowsOf(42, 7, 9, [12 / 32, 24 / 64, 8 / 32, 16 / 64, 0.9, 0.1, 0.8]),
      },
    ],
  },
  {
    metric: 'map,layout=yolov8',
    outputs: [
      {
        name: 'out',
        shape: [1, 6, 42],
        values: transposed(rowsOf(42, 6, 9, [12, 24, 8, 16, 0.1, 0.8]), 42, 6),
      },
    ],
  },
  {
    metric: 'map,layout=apart,background=1',
    outputs: [
      { name: 'scores', shape: [1, 42, 3], values: rowsOf(42, 3, 9, [0.9, 0.1, 0.8]) },
      {
        name: 'boxes',
        shape: [1, 42, 4],
        values: rowsOf(42, 4, 9, [16 / 64, 8 / 32, 32 / 64, 16 / 32]),
      },
    ],
  },
  {
    metric: 'map,layout=apart,corners=xyxy,boxes=b,scores=s',
    outputs: [
      { name: 's', shape: [42, 2], values: rowsOf(42, 2, 9, [0.1, 0.8]) },
      { name: 'b', shape: [42, 4], values: rowsOf(42, 4, 9, [8, 16, 16, 32]) },
    ],
  },
  {
    metric: 'map,layout=ssd',
    outputs: [
      {
        name: 'boxes',
        shape: [1, 2, 4],
        values: [16 / 64, 8 / 32, 32 / 64, 16 / 32, 0, 0, 1, 1],
      },
      { name: 'classes', shape: [1, 2], values: [1, 1] },
      { name: 'scores', shape: [1, 2], values: [0.8, 0.9] },
      { name: 'count', shape: [1], values: [1] },
    ],
  },
]

for (const { metric, outputs } of LAYOUT_CASES) {
  t.test(`${metric} finds the box (${outputs[0]?.name})`, async (t) => {
    const meter = builtInMetric(metric).start(IMAGE)
    await meter.add({ outputs, truth: TRUTH, reference: undefined })
    const { value, parts } = await meter.score()
    t.equal(value, 1)
    t.match(parts, { map50: 1, map75: 1 })
  })
}

/** The box is 12 by 24 at its centre, 8 by 16 large, of 32 by 64: told from an anchor half as large beside it. */
const ANCHORS = [
  [0.5, 0.5, 0.5, 0.5],
  [0.375 - 0.125, 0.375 + 0.125, 0.125, 0.125],
]
const REGRESSED = [
  {
    name: 'SSD: offsets by anchors, logarithms of sizes, y before x',
    metric: 'map,layout=anchors,background=1',
    boxes: [-1 * 10, 1 * 10, 5 * Math.log(2), 5 * Math.log(2)],
    scores: [0.9, 0, 0, 0.1, 0.2, 0.8],
  },
  {
    name: 'the same with logits and x before y',
    metric: 'map,layout=anchors,background=1,order=xywh,activation=softmax',
    boxes: [1 * 10, -1 * 10, 5 * Math.log(2), 5 * Math.log(2)],
    scores: [9, 0, 0, 0, 1, 5],
  },
  {
    name: 'BlazeFace: pixels from anchors of the whole image, sizes as they are, points behind them',
    metric:
      'map,layout=anchors,scales=128/128,sizes=linear,order=xywh,activation=sigmoid,boxes=b,scores=s',
    anchors: [
      [0.5, 0.5, 1, 1],
      [0.25, 0.5, 1, 1],
    ],
    boxes: [0.125 * 128, -0.125 * 128, 0.25 * 128, 0.25 * 128, 7, 7],
    scores: [-20, -9, -8, 4],
  },
]

for (const { name, metric, boxes, scores, anchors = ANCHORS } of REGRESSED) {
  t.test(`boxes told from anchors: ${name}`, async (t) => {
    const width = boxes.length
    const outputs = [
      { name: 'b', shape: [1, 2, width], values: rowsOf(2, width, 1, boxes) },
      { name: 's', shape: [1, 2, scores.length / 2], values: scores },
    ]
    const inData = new Map([
      ...TRUTH,
      ['anchors', { shape: [2, 4], values: anchors.flat() }] as const,
    ])
    const folder = t.testdir({ 'anchors.csv': anchors.map((row) => row.join(', ')).join('\n') })
    const file = `${metric},anchors=${folder}/anchors.csv`
    for (const [text, truth] of [[metric, inData] as const, [file, TRUTH] as const]) {
      const meter = builtInMetric(text).start(IMAGE)
      await meter.add({ outputs, truth, reference: undefined })
      const { parts } = await meter.score()
      t.match(parts, { map50: 1, map75: 1 })
    }
  })
}

t.test('anchors that are missing, damaged or of another model are told', async (t) => {
  const outputs = [
    { name: 'b', shape: [1, 3, 4], values: new Float32Array(12) },
    { name: 's', shape: [1, 3, 1], values: new Float32Array(3) },
  ]
  const folder = t.testdir({ 'bad.csv': '0.5,0.5,1,1\n0.5,,1,1\n', 'two.csv': '0 0 1 1\n1 1 1 1' })
  const add = async (metric: string) =>
    builtInMetric(metric).start(IMAGE).add({ outputs, truth: TRUTH, reference: undefined })
  await t.rejects(add('map,layout=anchors'), { code: 'missing-labels', message: /anchors=FILE/ })
  const at = (name: string) => `map,layout=anchors,anchors=${folder}/${name}`
  await t.rejects(add(at('no.csv')), { code: 'bad-parameter', message: /cannot be read/ })
  await t.rejects(add(at('bad.csv')), { code: 'bad-parameter', message: /line 2/ })
  await t.rejects(add(at('two.csv')), {
    code: 'wrong-outputs',
    message: /2 anchors.*another model/,
  })
  t.throws(() => keepMetric(builtInMetric(at('two.csv')), 4), {
    code: 'bad-parameter',
    message: /y\.anchors/,
  })
})

t.test('what a layout does not fit is told', async (t) => {
  const answer = (shape: number[], truth = TRUTH) => ({
    outputs: [{ name: 'out', shape, values: new Float32Array(shape.reduce((a, b) => a * b, 1)) }],
    truth,
    reference: undefined,
  })
  const add = async (metric: string, one: ReturnType<typeof answer>) =>
    builtInMetric(metric).start(IMAGE).add(one)
  const filled = answer([1, 40, 7])
  filled.outputs[0]?.values.fill(0.9)
  await t.rejects(add('map', filled), { code: 'wrong-outputs', message: /40 boxes.*have 42/ })
  await t.rejects(add('map', answer([1, 10])), { code: 'wrong-outputs', message: /layout=NAME/ })
  await t.rejects(add('map,layout=apart', answer([1, 10, 3])), { message: /boxes=NAME/ })
  await t.rejects(add('map,layout=ssd', answer([1, 10, 4])), { message: /PostProcess/ })
  await t.rejects(add('map', answer([1, 42, 7], new Map())), { code: 'missing-labels' })
  const rows = new Map([['boxes', { shape: [2, 4], values: [0, 0, 0, 0, 0, 0, 0, 0] }]])
  await t.rejects(add('map', answer([1, 42, 7], rows)), { code: 'wrong-labels' })
  t.throws(() => builtInMetric('map').start({ inputs: [{ name: 'x', shape: [1, 10] }] }), {
    code: 'wrong-outputs',
  })
  const meter = builtInMetric('map').start(IMAGE)
  t.throws(() => meter.score(), { code: 'unmeasurable' })
})
