import t from 'tap'
import { type Pixels, placementOf, toTensor } from '../../../planner/data-folders/pixels.ts'
import { parsePreprocessing } from '../../../planner/data-folders/preprocessing.ts'

t.test('a line says what becomes of an image', async (t) => {
  t.match(parsePreprocessing(' resize 416 letterbox 114, bgr, nchw, 0-255 '), {
    line: 'resize 416 letterbox 114, bgr, nchw, 0-255',
    resize: { width: 416, height: 416, fit: { kind: 'letterbox', fill: 114, centred: false } },
    colours: 'bgr',
    layout: 'nchw',
    range: [0, 255],
  })
  t.match(parsePreprocessing('resize 320x240 letterbox 0 centre'), {
    resize: { width: 320, height: 240, fit: { kind: 'letterbox', fill: 0, centred: true } },
    colours: 'rgb',
    layout: 'nhwc',
  })
  t.match(parsePreprocessing('-1..1, gray, mean 0.5, std 0.1/0.2/0.3'), {
    range: [-1, 1],
    mean: [0.5],
    std: [0.1, 0.2, 0.3],
    resize: null,
  })
  t.match(parsePreprocessing('-1-1'), { range: [-1, 1] })
  t.match(parsePreprocessing('resize 8 crop, rate 16000, seconds 0.5'), {
    resize: { fit: { kind: 'crop' } },
    rate: 16000,
    seconds: 0.5,
  })
})

const WRONG: readonly (readonly [line: string, at: number, reason: RegExp])[] = [
  ['', 1, /nothing is said/],
  ['resize', 1, /a size such as 416/],
  ['resize 0', 8, /a size such as 416/],
  ['bgr, resize 416 letterbx 114', 17, /none of stretch, crop, letterbox/],
  ['resize 416 letterbox 300', 22, /0 to 255/],
  ['resize 416 letterbox 114 left', 26, /only "centre"/],
  ['resize 416 bgr', 12, /none of stretch/],
  ['bgr nchw', 5, /a comma is missing/],
  ['bgr, rgb', 6, /colours is said twice/],
  ['0-255, 0-1', 8, /range is said twice/],
  ['1-0', 1, /lower to the higher/],
  ['mean 1/2', 6, /one number, or three/],
  ['std 0', 5, /divides by nothing/],
  ['nchw, flip', 7, /none of resize, rgb/],
  ['toString', 1, /none of resize/],
  ['rate', 1, /a number of samples a second/],
  ['seconds -1', 9, /a number of seconds/],
]

for (const [line, at, reason] of WRONG) {
  t.test(`"${line}" is wrong at ${at}`, async (t) => {
    t.throws(() => parsePreprocessing(line), {
      code: 'bad-preprocessing',
      message: new RegExp(`at ${at}: `),
    })
    t.throws(() => parsePreprocessing(line), { message: reason })
  })
}

/** Each pixel (10 · x, 10 · y, 7). */
function gradient(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) data.set([10 * x, 10 * y, 7], 3 * (y * width + x))
  return { width, height, data }
}

t.test('pixels land where the line wants them', async (t) => {
  const image = gradient(2, 1)
  t.same(toTensor(image, parsePreprocessing('rgb, nhwc')), {
    type: 'uint8',
    shape: [1, 2, 3],
    data: Uint8Array.of(0, 0, 7, 10, 0, 7),
  })
  t.same(
    [...toTensor(image, parsePreprocessing('bgr, nchw')).data],
    [7, 7, 0, 0, 0, 10],
    'blue first, plane by plane',
  )
  const scaled = toTensor(image, parsePreprocessing('0-1, mean 0.5, std 0.5, nchw'))
  t.equal(scaled.type, 'float32')
  t.ok(Math.abs(Number(scaled.data[1]) - (10 / 255 - 0.5) / 0.5) < 1e-6)
  t.same([...toTensor(image, parsePreprocessing('gray')).data], [1, 4], 'Rec. 601')
})

t.test('sizes: stretched, cut, and in a letterbox', async (t) => {
  const image = gradient(4, 2)
  const red = (line: string) => {
    const { data } = toTensor(image, parsePreprocessing(`${line}, nchw`))
    return [...data].slice(0, data.length / 3)
  }
  // cv2.resize(numpy.uint8([[0, 10, 20, 30]] * 2), (2, 2), INTER_LINEAR) is [[5, 25], [5, 25]].
  t.same(red('resize 2x2'), [5, 25, 5, 25])
  t.same(red('resize 2x2 crop'), [10, 20, 10, 20])
  t.same(red('resize 4x4 letterbox 9'), [0, 10, 20, 30, 0, 10, 20, 30, 9, 9, 9, 9, 9, 9, 9, 9])
  t.same(
    red('resize 4x4 letterbox 9 centre'),
    [9, 9, 9, 9, 0, 10, 20, 30, 0, 10, 20, 30, 9, 9, 9, 9],
  )
  const resize = (line: string) => placementOf(image, parsePreprocessing(line).resize)
  t.same(resize('resize 8 letterbox centre'.replace('letterbox', 'letterbox 0')), {
    scaleX: 2,
    scaleY: 2,
    offsetX: 0,
    offsetY: 2,
  })
  t.match(resize('resize 2x2 crop'), { scaleX: 1, offsetX: -1, offsetY: 0 })
  t.match(resize('resize 8x2'), { scaleX: 2, scaleY: 1 })
})
