import t from 'tap'
import { keepMetric, keptMetric } from '../../../shared/metrics/kept-metric.ts'
import type { Answer } from '../../../shared/metrics/meter.ts'
import { formatMetric, lossOf } from '../../../shared/metrics/metric.ts'
import { builtInMetric, readMetric } from '../../../shared/metrics/read-metric.ts'
import { METRIC_NAMES } from '../../../shared/metrics/table.ts'

type Numbers = readonly number[]

/** An answer of one output. */
function answer(shape: Numbers, values: Numbers, y?: Numbers, yShape = [y?.length ?? 0]): Answer {
  return {
    outputs: [{ name: 'out', shape, values }],
    truth: new Map(y === undefined ? [] : [['', { shape: yShape, values: y }]]),
    reference: undefined,
  }
}

const like = (values: Numbers, reference: Numbers): Answer => ({
  ...answer([1, values.length], values),
  reference: new Map([['out', reference]]),
})

const CASES: readonly {
  readonly metric: string
  readonly of: string
  readonly answers: readonly Answer[]
  readonly value: number
}[] = [
  {
    metric: 'top-1',
    of: 'two of three, one-hot or not',
    answers: [
      answer([1, 3], [0.1, 0.7, 0.2], [1]),
      answer([1, 3], [0.1, 0.7, 0.2], [0, 0, 1]),
      answer([1, 3], [0.5, 0.5, 0], [0]),
    ],
    value: 2 / 3,
  },
  { metric: 'top-1', of: 'NaN', answers: [answer([2], [1, Number.NaN], [0])], value: 0 },
  {
    metric: 'top-5',
    of: 'fifth and sixth place',
    answers: [answer([6], [6, 5, 4, 3, 2, 1], [4]), answer([6], [6, 5, 4, 3, 2, 1], [5])],
    value: 0.5,
  },
  {
    metric: 'agreement',
    of: 'one of two',
    answers: [like([1, 2], [0, 3]), like([1, 2], [3, 0])],
    value: 0.5,
  },
  {
    // Classes 0: 1 of 3, 1: 1 of 3; the fifth pixel does not count.
    metric: 'miou',
    of: 'channels last',
    answers: [answer([1, 1, 5, 2], [1, 0, 0, 1, 1, 0, 0, 1, 1, 0], [0, 0, 1, 1, 255], [1, 5])],
    value: 1 / 3,
  },
  {
    metric: 'miou',
    of: 'channels first',
    answers: [answer([1, 2, 1, 4], [1, 0, 1, 0, 0, 1, 0, 1], [0, 0, 1, 1], [1, 4])],
    value: 1 / 3,
  },
  {
    metric: 'miou,threshold=0.5',
    of: 'one channel',
    answers: [answer([1, 2, 2, 1], [0.9, 0.6, 0.4, 0.1], [1, 0, 0, 0], [2, 2])],
    value: (1 / 2 + 2 / 3) / 2,
  },
  {
    metric: 'cosine',
    of: 'labels and no direction',
    answers: [answer([2], [1, 1], [1, 0]), answer([2], [0, 0], [1, 0])],
    value: Math.SQRT1_2 / 2,
  },
  { metric: 'cosine', of: 'the float model', answers: [like([2, 0], [1, 0])], value: 1 },
  { metric: 'mae', of: 'labels', answers: [answer([2], [1, 4], [0, 2])], value: 1.5 },
  { metric: 'rmse', of: 'labels', answers: [answer([2], [3, 4], [0, 0])], value: Math.sqrt(12.5) },
  {
    // Of 2×2 pairs: 0.8 > 0.4, 0.8 > 0.1, 0.4 = 0.4, 0.4 > 0.1.
    metric: 'auc',
    of: 'ties counting half',
    answers: [
      answer([1], [0.8], [1]),
      answer([1], [0.4], [1]),
      answer([1], [0.4], [0]),
      answer([1], [0.1], [0]),
    ],
    value: 3.5 / 4,
  },
  {
    metric: 'auc',
    of: 'two classes like one score',
    answers: [
      answer([1, 2], [0.2, 0.8], [1]),
      answer([1, 2], [0.6, 0.4], [1]),
      answer([1, 2], [0.6, 0.4], [0]),
      answer([1, 2], [0.9, 0.1], [0]),
    ],
    value: 3.5 / 4,
  },
  {
    // Path 1 1 0 1 2 → 1 1 2; "1 2" is one insertion away.
    metric: 'cer',
    of: 'repeats merged, blanks dropped',
    answers: [answer([1, 5, 3], [0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1], [1, 2, -1, -1])],
    value: 1 / 2,
  },
  {
    metric: 'cer,order=symbols-first,blank=-1',
    of: 'the last symbol for a blank',
    answers: [answer([3, 2], [1, 0, 0, 1, 0, 0], [0, 1])],
    value: 0,
  },
  { metric: 'cer', of: 'nothing read', answers: [answer([1, 2], [1, 0], [1, 1])], value: 1 },
  {
    metric: 'perplexity',
    of: 'even chances of four, one step left out',
    answers: [answer([1, 2, 4], [5, 5, 5, 5, 0, 0, 0, 9], [2, -1])],
    value: 4,
  },
  {
    metric: 'perplexity,from=probabilities',
    of: 'a half and an eighth',
    answers: [answer([2, 2], [0.5, 0.5, 0.125, 0.875], [0, 0])],
    value: 4,
  },
]

for (const { metric, of, answers, value } of CASES) {
  t.test(`${metric} of ${of}`, async (t) => {
    const meter = builtInMetric(metric).start({ inputs: [] })
    for (const one of answers) await meter.add(one)
    const { value: found } = await meter.score()
    t.ok(Math.abs(found - value) < 1e-9, `${found} for ${value}`)
  })
}

t.test('every metric of the table is tried here or with boxes', async (t) => {
  const tried = new Set([...CASES.map(({ metric }) => metric.split(',')[0]), 'map'])
  t.same(
    METRIC_NAMES.filter((name) => !tried.has(name)),
    [],
  )
})

const REFUSED = [
  ['top-1', answer([2], [0, 1]), 'missing-labels', /"y"/],
  ['top-1', answer([2], [0, 1], [2]), 'wrong-labels', /label 2 is none of the model's 2 classes/],
  ['top-1', answer([2, 2], [0, 1, 2, 3], [0]), 'wrong-outputs', /does not score classes/],
  ['top-1,output=other', answer([2], [0, 1], [0]), 'wrong-outputs', /no output "other".*"out"/],
  ['agreement', answer([2], [0, 1]), 'missing-labels', /--reference/],
  ['mae', answer([2], [0, 1]), 'missing-labels', /--reference/],
  ['mae', answer([2], [0, 1], [1]), 'wrong-labels', /of that size/],
  ['auc', answer([1], [0.5], [2]), 'wrong-labels', /0 or 1/],
  ['miou', answer([2, 2, 3], new Array(12).fill(0), [0, 0, 0], [3]), 'wrong-labels', /height/],
  ['cer', answer([2, 3], new Array(6).fill(0), [5]), 'wrong-labels', /symbols-first/],
  ['cer', answer([2, 3, 4], new Array(24).fill(0), [1]), 'wrong-outputs', /two dimensions/],
  ['perplexity', answer([2, 3], new Array(6).fill(0), [1]), 'wrong-labels', /each step/],
] as const

for (const [metric, one, code, message] of REFUSED) {
  t.test(`${metric}: ${code}`, async (t) => {
    await t.rejects(async () => builtInMetric(metric).start({ inputs: [] }).add(one), {
      code,
      message,
    })
  })
}

t.test('what cannot be measured is no number', async (t) => {
  const auc = builtInMetric('auc').start({ inputs: [] })
  await auc.add(answer([1], [0.5], [1]))
  t.throws(() => auc.score(), { code: 'unmeasurable', message: /same label/ })
})

t.test('names and parameters that nobody knows', async (t) => {
  t.throws(() => builtInMetric('mpa'), { code: 'unknown-metric', message: /top-1.*score\.mjs/ })
  t.throws(() => builtInMetric('map,nsm=0.5'), { code: 'bad-parameter', message: /nms \(overlap/ })
  t.throws(() => builtInMetric('map,nms=2'), { code: 'bad-parameter' })
  t.throws(() => builtInMetric('map,nms='), { code: 'bad-parameter' })
  t.throws(() => builtInMetric('map,layout=yolo'), { message: /yolox, yolov5/ })
  t.throws(() => builtInMetric('map,strides=8/x'), { code: 'bad-parameter' })
  t.throws(() => builtInMetric('map,yolox'), { message: /not key=value/ })
  t.throws(() => builtInMetric('toString'), { code: 'unknown-metric' })
  await t.rejects(readMetric('nothing'), { code: 'unknown-metric' })
})

t.test('losses count in the direction and the unit of the metric', async (t) => {
  const close = (found: number, wanted: number) =>
    t.ok(Math.abs(found - wanted) < 1e-12, `${found}`)
  close(lossOf(builtInMetric('map'), 0.4, 0.38), 0.02)
  close(lossOf(builtInMetric('cer'), 0.1, 0.12), 0.02)
  close(lossOf(builtInMetric('mae'), 2, 2.2), 0.1)
  close(lossOf(builtInMetric('mae'), 2, 1), -0.5)
  t.equal(lossOf(builtInMetric('mae'), 0, 0), 0)
  t.equal(lossOf(builtInMetric('mae'), 0, 1), Number.POSITIVE_INFINITY)
  t.equal(formatMetric({ unit: 'share' }, 0.3639), '36.39 %')
  t.equal(formatMetric({ unit: 'number' }, 12.34567), '12.35')
})

t.test('a metric kept with the data is read again, and a later one left alone', async (t) => {
  const metric = builtInMetric('map,layout=yolox,nms=0.5')
  const kept = keepMetric(metric, 3)
  t.same(kept.shape, [3, metric.text.length])
  t.match(keptMetric(new Map([['metric', kept]])), { text: metric.text, labels: 'y.boxes' })
  t.equal(keptMetric(new Map()), undefined)
  const later = keepMetric({ text: 'word-error-rate' }, 3)
  t.equal(keptMetric(new Map([['metric', later]])), undefined)
})
