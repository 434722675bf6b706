import { normalFrom, type Random, seededRandom } from '../../../shared/statistics/index.ts'
import { drawWriting } from './writing.ts'

/** What an input holds in the field, as far as a network's activations can tell. */
export type Holding =
  /** Shapes of several colours on a slope, from the least to the largest number; channels where they are few. */
  | { readonly picture: readonly [number, number] }
  /** Lines of words, of letters that no alphabet has, on paper; from the least to the largest number. */
  | { readonly writing: readonly [number, number] }
  /** Some tones with their harmonics, and silence between; the largest number. */
  | { readonly sound: number }
  /** Bands that come and go over time, from the least to the largest number; time before bands. */
  | { readonly spectrum: readonly [number, number] }
  /** Vectors around a few centres; their deviation. */
  | { readonly embedding: number }
  | { readonly normal: number }
  /** Beginnings of files: text of words, tables of numbers, bytes of machines; padded with 256. */
  | { readonly files: true }
  | { readonly constant: number }

type Kind = Holding extends infer H ? (H extends Holding ? keyof H : never) : never

/** Fills `into`, of `shape`, in its own way. */
type Draw<H> = (into: number[], shape: readonly number[], of: H, random: Random) => void

/** One row for each kind of holding; the second type is what is said of it. */
const DRAW: { readonly [K in Kind]: Draw<Extract<Holding, { readonly [P in K]: unknown }>[K]> } = {
  picture: drawPicture,
  writing: drawWriting,
  sound: drawSound,
  spectrum: drawSpectrum,
  embedding: drawEmbedding,
  normal: (into, _shape, deviation, random) => {
    for (let i = 0; i < into.length; i += 1) into[i] = deviation * normalFrom(random)
  },
  files: drawFile,
  constant: (into, _shape, value) => {
    into.fill(value)
  },
}

/** Numbers of one sample, the same for the same seed. */
export function drawn(holding: Holding, shape: readonly number[], seed: number): number[] {
  const into = new Array<number>(shape.reduce((size, dim) => size * dim, 1)).fill(0)
  const [[kind, of]] = Object.entries(holding) as [[Kind, never]]
  ;(DRAW[kind] as Draw<never>)(into, shape, of, seededRandom(seed))
  return into
}

interface Blob {
  readonly centre: readonly [number, number]
  readonly radii: readonly [number, number]
  readonly colour: readonly number[]
  readonly square: boolean
}

const BLOBS = 14
const GRAIN = 0.03

function drawPicture(
  into: number[],
  shape: readonly number[],
  [least, most]: readonly [number, number],
  random: Random,
): void {
  const [, a = 1, b = 1, c = 1] = shape
  const first = a <= 4
  const [channels, height, width] = first ? [a, b, c] : [c, a, b]
  const colour = () => Array.from({ length: channels }, random)
  const [from, to] = [colour(), colour()]
  const blobs = Array.from({ length: BLOBS }, (): Blob => {
    const size = 0.03 + 0.25 * random() ** 2
    return {
      centre: [random(), random()],
      radii: [size * (0.5 + random()), size * (0.5 + random())],
      colour: colour(),
      square: random() < 0.4,
    }
  })
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [down, across] = [y / height, x / width]
      const top = blobs.findLast((blob) => covers(blob, down, across))
      for (let channel = 0; channel < channels; channel += 1) {
        const slope = (from[channel] as number) * (1 - down) + (to[channel] as number) * down
        const value = (top?.colour[channel] ?? slope) + GRAIN * (random() * 2 - 1)
        const at = first ? (channel * height + y) * width + x : (y * width + x) * channels + channel
        into[at] = least + (most - least) * Math.min(1, Math.max(0, value))
      }
    }
  }
}

function covers({ centre, radii, square }: Blob, y: number, x: number): boolean {
  const [down, across] = [(y - centre[0]) / radii[0], (x - centre[1]) / radii[1]]
  return square ? Math.abs(down) < 1 && Math.abs(across) < 1 : down ** 2 + across ** 2 < 1
}

const TONES = 3
const HARMONICS = 5

function drawSound(into: number[], _shape: readonly number[], peak: number, random: Random): void {
  const tones = Array.from({ length: TONES }, () => ({
    /** Cycles a sample: 60 to 800 Hz at 16 kHz. */
    pitch: (60 + 740 * random() ** 2) / 16_000,
    start: random() * 0.6,
    length: 0.2 + random() * 0.6,
    fade: 0.4 + 0.5 * random(),
  }))
  const loudness = peak * (0.1 + 0.9 * random())
  const hiss = 0.002 + 0.03 * random() ** 2
  for (let i = 0; i < into.length; i += 1) {
    const at = i / into.length
    let value = hiss * (random() * 2 - 1)
    for (const { pitch, start, length, fade } of tones) {
      const within = (at - start) / length
      if (within < 0 || within > 1) continue
      for (let k = 1, loud = 0.4; k <= HARMONICS; k += 1, loud *= fade)
        value += loud * Math.sin(Math.PI * within) * Math.sin(2 * Math.PI * k * pitch * i)
    }
    into[i] = loudness * Math.max(-1, Math.min(1, value))
  }
}

const BANDS = 6

function drawSpectrum(
  into: number[],
  shape: readonly number[],
  [least, most]: readonly [number, number],
  random: Random,
): void {
  const [times = 1, bins = 1] = shape.filter((dim) => dim > 1)
  const bands = Array.from({ length: BANDS }, () => ({
    centre: random(),
    drift: 0.4 * (random() - 0.5),
    width: 0.02 + 0.1 * random(),
    beat: 2 + 20 * random(),
    phase: random() * 6,
  }))
  for (let at = 0; at < into.length; at += 1) {
    const time = Math.floor(at / bins) / times
    const bin = (at % bins) / bins
    let level = 0.1 * random()
    for (const { centre, drift, width, beat, phase } of bands) {
      const apart = (bin - centre - drift * time) / width
      level += 0.8 * Math.exp(-apart * apart) * Math.max(0, Math.sin(beat * time + phase))
    }
    into[at] = least + (most - least) * Math.min(1, level)
  }
}

function drawEmbedding(
  into: number[],
  shape: readonly number[],
  deviation: number,
  random: Random,
): void {
  const size = shape.at(-1) ?? 1
  const centre = Array.from({ length: size }, () => deviation * normalFrom(random))
  let step = centre
  for (let at = 0; at < into.length; at += 1) {
    const place = at % size
    // Each vector lies near the one before, as those of frames that overlap do.
    if (place === 0)
      step = step.map(
        (one, i) => 0.8 * one + 0.2 * (centre[i] as number) + 0.3 * deviation * normalFrom(random),
      )
    into[at] = step[place] as number
  }
}

const PADDING = 256
const LETTERS = 'etaoinshrdlucmfwypvbgkjqxz'

type Alphabet = (random: Random) => readonly number[]

const codesOf = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0))
const letter = (random: Random) => LETTERS.charAt(Math.floor(LETTERS.length * random() ** 2))
const word = (random: Random) =>
  Array.from({ length: 1 + Math.floor(9 * random()) }, () => letter(random)).join('')

/** One piece of a file of each kind. */
const FILES: readonly Alphabet[] = [
  (random) => codesOf(`${word(random)}${random() < 0.1 ? '.\n' : ' '}`),
  (random) => codesOf(`${(1000 * random()).toFixed(2)},${random() < 0.2 ? '\n' : ''}`),
  (random) => codesOf(`  ${word(random)}(${word(random)}, ${Math.floor(9 * random())});\n`),
  (random) => codesOf(`{"${word(random)}": "${word(random)}"},\n`),
  (random) => codesOf(`<${word(random)}>${word(random)}</${word(random)}>\n`),
  (random) => codesOf(`def ${word(random)}(self, ${word(random)}):\n    return ${word(random)}\n`),
  (random) => [Math.floor(256 * random())],
  (random) => [0, 0, Math.floor(4 * random()), Math.floor(256 * random() ** 3)],
  (random) => (random() < 0.7 ? [0] : [0x48, 0x8b, Math.floor(256 * random()), 0x24]),
]

/** The first and the last thousand bytes, as networks that tell kinds of files take them. */
function drawFile(into: number[], _shape: readonly number[], _of: true, random: Random): void {
  const piece = FILES[Math.floor(FILES.length * random())] as Alphabet
  const length = random() < 0.3 ? Math.floor(into.length * random()) : into.length
  const bytes: number[] = []
  while (bytes.length < length) bytes.push(...piece(random))
  for (let i = 0; i < into.length; i += 1) into[i] = i < length ? (bytes[i] as number) : PADDING
}
