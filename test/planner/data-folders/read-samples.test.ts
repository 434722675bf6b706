import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { readSamples } from '../../../planner/data-folders/read-samples.ts'
import { readWav } from '../../../planner/data-folders/wav.ts'

/** An image of one colour, left half red of `red`, as `format`. */
async function image(path: string, width: number, height: number, red = 200): Promise<void> {
  const data = Buffer.alloc(width * height * 3)
  for (let i = 0; i < width * height; i += 1) if (i % width < width / 2) data[3 * i] = red
  await sharp(data, { raw: { width, height, channels: 3 } }).toFile(path)
}

const LINE = 'resize 8 letterbox 114, nchw'

t.test('images in the order of their names, with boxes where they end up', async (t) => {
  const dir = t.testdir({ img: { 'preprocessing.txt': `${LINE}\n` }, lab: {} })
  await image(join(dir, 'img/b.png'), 8, 4)
  await image(join(dir, 'img/a.png'), 4, 8)
  writeFileSync(join(dir, 'lab/a.txt'), '2 0.5 0.5 1 0.5\n')
  writeFileSync(join(dir, 'lab/other.txt'), '')
  const yolo = await readSamples(join(dir, 'img'), { labels: join(dir, 'lab') })
  t.equal(yolo.samples, 2)
  t.same(yolo.inputs.get('x')?.shape, [2, 3, 8, 8])
  t.equal(yolo.inputs.get('x')?.type, 'uint8')
  const boxes = yolo.truth.get('boxes')
  t.same(boxes?.shape, [2, 1, 6])
  t.same([...(boxes?.data ?? [])], [2, 0, 2, 4, 6, 0, -1, 0, 0, 0, 0, 0], 'b.png holds nothing')
  t.equal(yolo.labels, undefined)

  writeFileSync(
    join(dir, 'coco.json'),
    JSON.stringify({
      images: [
        { id: 7, file_name: 'train/b.png' },
        { id: 8, file_name: 'a.png' },
      ],
      annotations: [{ image_id: 7, category_id: 90, bbox: [2, 1, 4, 2], iscrowd: 1 }],
      categories: [{ id: 90 }, { id: 3 }],
    }),
  )
  const coco = await readSamples(join(dir, 'img'), { labels: join(dir, 'coco.json') })
  t.same([...(coco.truth.get('boxes')?.data ?? [])].slice(6), [1, 2, 1, 6, 3, 1])

  writeFileSync(join(dir, 'boxes.csv'), 'file,class,left,top,right,bottom\na.png,5,0,0,4,8\n')
  const csv = await readSamples(join(dir, 'img'), {
    labels: join(dir, 'boxes.csv'),
    preprocess: 'resize 4x16',
  })
  t.same([...(csv.truth.get('boxes')?.data ?? [])].slice(0, 6), [5, 0, 0, 4, 16, 0])
  t.same(csv.inputs.get('x')?.shape, [2, 16, 4, 3], 'what is given wins over what lies there')

  writeFileSync(join(dir, 'classes.csv'), 'a.png,1\nb.png,0\n')
  const classes = await readSamples(join(dir, 'img'), { labels: join(dir, 'classes.csv') })
  t.same([...(classes.labels ?? [])], [1, 0])
})

t.test('a sub-folder a class', async (t) => {
  const dir = t.testdir({ cat: {}, bird: {} })
  await image(join(dir, 'cat/1.png'), 4, 4)
  await image(join(dir, 'bird/1.png'), 4, 4)
  await image(join(dir, 'bird/2.png'), 4, 4)
  const { labels } = await readSamples(dir, { preprocess: 'rgb' })
  t.same([...(labels ?? [])], [0, 0, 1])
})

t.test('gray, CMYK, alpha and turned images are what one sees', async (t) => {
  const dir = t.testdir()
  const data = Buffer.alloc(4 * 2 * 3)
  // Top left red, all else black; stored on its side.
  data[0] = 255
  const upright = () => sharp(data, { raw: { width: 4, height: 2, channels: 3 } })
  const cases: readonly [name: string, made: () => Promise<unknown>][] = [
    ['gray.png', () => upright().greyscale().toFile(join(dir, 'gray.png'))],
    [
      'cmyk.jpg',
      () => upright().toColourspace('cmyk').jpeg({ quality: 100 }).toFile(join(dir, 'cmyk.jpg')),
    ],
    ['alpha.png', () => upright().ensureAlpha(1).png().toFile(join(dir, 'alpha.png'))],
    ['deep.png', () => upright().toColourspace('rgb16').png().toFile(join(dir, 'deep.png'))],
  ]
  for (const [, make] of cases) await make()
  const { inputs } = await readSamples(dir, { preprocess: 'rgb' })
  t.same(inputs.get('x')?.shape, [4, 2, 4, 3], 'all of three channels')
  const first = (i: number) =>
    [...(inputs.get('x')?.data ?? [])].slice(24 * i, 24 * i + 3).map(Number)
  const [red = 0, green = 0] = first(0)
  t.ok(red > 150 && green < 60, `alpha: ${first(0)}`)
  t.ok((first(1)[0] ?? 0) > 120, `CMYK: ${first(1)}`)
  t.ok((first(2)[0] ?? 0) > 150, `16 bits: ${first(2)}`)
  t.equal(first(3)[0], first(3)[2], `gray: ${first(3)}`)

  const turned = t.testdir({ more: {} })
  await upright()
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 100 })
    .toFile(join(turned, 'side.jpg'))
  const side = await readSamples(turned, { preprocess: 'rgb' })
  t.same(side.inputs.get('x')?.shape, [1, 4, 2, 3], 'turned by 90°: 2 wide, 4 high')
  const corner = [...(side.inputs.get('x')?.data ?? [])].slice(3, 6).map(Number)
  t.ok((corner[0] ?? 0) > 100, `what was top left is top right: ${corner}`)
})

t.test('one line where files do not go', async (t) => {
  const dir = t.testdir({ img: {}, empty: { 'read.me': '' }, lab: { 'x.txt': '1 2 3\n' } })
  const img = join(dir, 'img')
  await image(join(img, 'a.png'), 4, 4)
  const rejects = (promise: Promise<unknown>, code: string, message: RegExp) =>
    t.rejects(promise, { code, message })
  await rejects(readSamples(img), 'no-preprocessing', /--preprocess/)
  await rejects(readSamples(img, { preprocess: 'rgbb' }), 'bad-preprocessing', /at 1/)
  await rejects(readSamples(join(dir, 'empty'), { preprocess: 'rgb' }), 'no-files', /no images/)
  const labels = (path: string) => readSamples(img, { preprocess: 'rgb', labels: join(dir, path) })
  await rejects(labels('lab'), 'wrong-labels', /x\.txt, line 1: "1 2 3" is not class/)
  await rejects(labels('absent'), 'wrong-labels', /there are no labels/)
  writeFileSync(join(dir, 'lab/x.txt'), '1 0.5 0.5 0.1 0.1\n')
  await rejects(labels('lab'), 'wrong-labels', /of other files: none of 1 names.*they have x/)
  writeFileSync(join(dir, 'c.json'), '{"images": []}')
  await rejects(labels('c.json'), 'wrong-labels', /no COCO instances \(annotations/)
  writeFileSync(join(dir, 'c.csv'), 'a.png,cat\n')
  await rejects(labels('c.csv'), 'wrong-labels', /in numbers/)
  writeFileSync(join(dir, 'l.xml'), '')
  await rejects(labels('l.xml'), 'wrong-labels', /no labels file/)
  await image(join(img, 'b.png'), 5, 4)
  await rejects(readSamples(img, { preprocess: 'rgb' }), 'wrong-shape', /resize 224/)
  writeFileSync(join(dir, 'd.csv'), 'a.png,1\n')
  await rejects(
    readSamples(img, { preprocess: 'resize 4', labels: join(dir, 'd.csv') }),
    'wrong-labels',
    /no label for b/,
  )

  const cut = join(dir, 'cut')
  mkdirSync(cut)
  await sharp({ create: { width: 64, height: 64, channels: 3, background: '#a05' } })
    .composite([{ input: join(img, 'a.png') }])
    .jpeg()
    .toFile(join(cut, 'a.jpg'))
  const bytes = readFileSync(join(cut, 'a.jpg'))
  writeFileSync(join(cut, 'a.jpg'), bytes.subarray(0, bytes.length - 40))
  await rejects(readSamples(cut, { preprocess: 'rgb' }), 'unreadable-image', /a\.jpg.*damaged/)
  writeFileSync(join(cut, 'a.jpg'), 'hello')
  await rejects(readSamples(cut, { preprocess: 'rgb' }), 'unreadable-image', /a\.jpg/)
})

/** A WAV file of one or two channels. */
function wav(code: number, bits: number, channels: number, rate: number, sound: Buffer): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(36 + sound.length, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(code, 20)
  head.writeUInt16LE(channels, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE((rate * channels * bits) / 8, 28)
  head.writeUInt16LE((channels * bits) / 8, 32)
  head.writeUInt16LE(bits, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(sound.length, 40)
  return Buffer.concat([head, sound])
}

const HALVES: readonly (readonly [code: number, bits: number, sound: Buffer])[] = [
  [1, 8, Buffer.from([192, 64])],
  [1, 16, Buffer.from([0, 0x40, 0, 0xc0])],
  [1, 24, Buffer.from([0, 0, 0x40, 0, 0, 0xc0])],
  [1, 32, Buffer.from([0, 0, 0, 0x40, 0, 0, 0, 0xc0])],
  [3, 32, Buffer.from(Float32Array.of(0.5, -0.5).buffer)],
  [3, 64, Buffer.from(Float64Array.of(0.5, -0.5).buffer)],
]

t.test('sounds of every width are the same numbers', async (t) => {
  for (const [code, bits, sound] of HALVES) {
    const mono = readWav(wav(code, bits, 1, 8000, sound), 'a.wav')
    t.same([...mono.data], [0.5, -0.5], `${bits} bits of format ${code}`)
    t.equal(mono.rate, 8000)
    t.same([...readWav(wav(code, bits, 2, 8000, sound), 'a.wav').data], [0], 'channels averaged')
  }
})

t.test('a folder of sounds, cut or filled', async (t) => {
  const [, , sound] = HALVES[1] as (typeof HALVES)[number]
  const dir = t.testdir()
  writeFileSync(join(dir, 'a.wav'), wav(1, 16, 1, 8, sound))
  writeFileSync(join(dir, 'b.wav'), wav(1, 16, 1, 8, Buffer.concat([sound, sound, sound])))
  const data = await readSamples(dir, { preprocess: 'rate 8, seconds 0.5' })
  t.same([...(data.inputs.get('x')?.data ?? [])], [0.5, -0.5, 0, 0, 0.5, -0.5, 0.5, -0.5])
  const scaled = await readSamples(dir, { preprocess: 'rate 8, seconds 0.25, 0-1' })
  t.same([...(scaled.inputs.get('x')?.data ?? [])], [0.75, 0.25, 0.75, 0.25])
  const rejects = (preprocess: string, code: string, message: RegExp) =>
    t.rejects(readSamples(dir, { preprocess }), { code, message })
  await rejects(
    'rate 16000',
    'wrong-rate',
    /a\.wav has 8 samples a second and the model takes 16000/,
  )
  await rejects('nchw', 'wrong-preprocessing', /rate 8/)
  await rejects('resize 4, rate 8', 'wrong-preprocessing', /resizes images/)
  await rejects('rate 8', 'wrong-shape', /seconds 1/)
})

t.test('damaged sounds', async (t) => {
  const [, , sound] = HALVES[1] as (typeof HALVES)[number]
  const whole = wav(1, 16, 1, 8000, sound)
  const rows: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.from('RIFF'), /no WAV file/],
    [whole.subarray(0, 46), /cut short/],
    [whole.subarray(0, 36), /no sound/],
    [wav(2, 4, 1, 8000, sound), /4 bits of format 2/],
    [wav(1, 16, 0, 8000, sound), /format 1/],
  ]
  for (const [bytes, message] of rows) {
    t.throws(() => readWav(bytes, 'a.wav'), { code: 'unreadable-sound', message })
  }
})
