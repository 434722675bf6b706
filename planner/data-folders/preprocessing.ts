import { DataFolderError } from './errors.ts'

/** How an image comes to its size. `letterbox` keeps its proportions and fills the rest, on the right and below or around. */
export type Fit =
  | { readonly kind: 'stretch' | 'crop' }
  | { readonly kind: 'letterbox'; readonly fill: number; readonly centred: boolean }

export interface Resize {
  readonly width: number
  readonly height: number
  readonly fit: Fit
}

/** What becomes of each file of a folder. */
export interface Preprocessing {
  /** As it was written. */
  readonly line: string
  /** Null where images have the size already. */
  readonly resize: Resize | null
  readonly colours: 'rgb' | 'bgr' | 'gray'
  readonly layout: 'nchw' | 'nhwc'
  /** What 0 and 255 become, or the quietest and loudest of a sound. */
  readonly range: readonly [number, number]
  /** Of each channel, in the order of the colours, after the range: (x − mean) / std. */
  readonly mean: readonly number[]
  readonly std: readonly number[]
  /** Of sounds. */
  readonly rate: number | null
  readonly seconds: number | null
}

interface Word {
  readonly text: string
  /** Place of its first letter in the line, from 1. */
  readonly at: number
}

type Settings = Omit<Preprocessing, 'line'>
type Clause = (words: readonly Word[]) => Partial<Settings>

const USUAL: Settings = {
  resize: null,
  colours: 'rgb',
  layout: 'nhwc',
  range: [0, 255],
  mean: [],
  std: [],
  rate: null,
  seconds: null,
}

/** Each clause by its first word; ranges have a form of their own. */
const CLAUSES: Readonly<Record<string, Clause>> = {
  resize: ([, size, fit, ...rest]) => ({ resize: { ...sizeOf(size), fit: fitOf(fit, rest) } }),
  rgb: alone({ colours: 'rgb' }),
  bgr: alone({ colours: 'bgr' }),
  gray: alone({ colours: 'gray' }),
  nchw: alone({ layout: 'nchw' }),
  nhwc: alone({ layout: 'nhwc' }),
  mean: ([first, list, more]) => ({ mean: numbersOf(first, list, more) }),
  std: ([first, list, more]) => {
    const std = numbersOf(first, list, more)
    if (std.includes(0)) throw wrong(list, 'a deviation of 0 divides by nothing')
    return { std }
  },
  rate: ([first, rate, more]) => ({ rate: positive(first, rate, more, 'samples a second') }),
  seconds: ([first, length, more]) => ({ seconds: positive(first, length, more, 'seconds') }),
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?`
const RANGE = new RegExp(`^(${NUMBER})(?:-|\\.\\.)(${NUMBER})$`)

/**
 * `resize 416 letterbox 114, bgr, nchw, 0-255`: clauses apart by commas, in any order, each at most once.
 * @throws DataFolderError `bad-preprocessing`, with the place in the line
 */
export function parsePreprocessing(line: string): Preprocessing {
  const settings: Record<string, unknown> = {}
  for (const words of clausesOf(line)) {
    const [first] = words
    if (first === undefined) continue
    const given = RANGE.test(first.text) ? rangeOf(words) : clauseOf(first)(words)
    for (const [key, value] of Object.entries(given)) {
      if (Object.hasOwn(settings, key)) throw wrong(first, `${key} is said twice`)
      settings[key] = value
    }
  }
  if (Object.keys(settings).length === 0) throw wrong({ text: line, at: 1 }, 'nothing is said')
  return { ...USUAL, ...(settings as Partial<Settings>), line: line.trim() }
}

function clausesOf(line: string): Word[][] {
  const clauses: Word[][] = []
  let start = 0
  for (const clause of line.split(',')) {
    const words = [...clause.matchAll(/\S+/g)].map((match) => ({
      text: match[0],
      at: start + match.index + 1,
    }))
    clauses.push(words)
    start += clause.length + 1
  }
  return clauses
}

function clauseOf(first: Word): Clause {
  const clause = Object.hasOwn(CLAUSES, first.text) ? CLAUSES[first.text] : undefined
  if (clause !== undefined) return clause
  throw wrong(
    first,
    `it is none of ${Object.keys(CLAUSES).join(', ')}, or a range such as 0-1 or -1..1`,
  )
}

function alone(settings: Partial<Settings>): Clause {
  return ([, more]) => {
    if (more !== undefined) throw wrong(more, 'a comma is missing before it')
    return settings
  }
}

function rangeOf([first, more]: readonly Word[]): Partial<Settings> {
  if (more !== undefined) throw wrong(more, 'a comma is missing before it')
  const [, low, high] = RANGE.exec(first?.text ?? '') ?? []
  if (Number(low) < Number(high)) return { range: [Number(low), Number(high)] }
  throw wrong(first, 'a range goes from the lower to the higher number')
}

function sizeOf(size: Word | undefined): { width: number; height: number } {
  const [, width, height] = /^(\d+)(?:x(\d+))?$/.exec(size?.text ?? '') ?? []
  const [w, h] = [Number(width), Number(height ?? width)]
  if (w > 0 && h > 0 && w <= 16384 && h <= 16384) return { width: w, height: h }
  throw wrong(size, 'resize takes a size such as 416, or WIDTHxHEIGHT')
}

function fitOf(fit: Word | undefined, [fill, centre, more]: readonly Word[]): Fit {
  if (fit === undefined) return { kind: 'stretch' }
  if (fit.text === 'stretch' || fit.text === 'crop') {
    if (fill !== undefined) throw wrong(fill, 'a comma is missing before it')
    return { kind: fit.text }
  }
  if (fit.text !== 'letterbox') throw wrong(fit, 'it is none of stretch, crop, letterbox')
  const value = fill === undefined ? 0 : Number(fill.text)
  if (!(value >= 0 && value <= 255))
    throw wrong(fill, 'letterbox is filled with a number of 0 to 255')
  if (centre !== undefined && centre.text !== 'centre' && centre.text !== 'center')
    throw wrong(centre, 'after the number only "centre" may follow')
  if (more !== undefined) throw wrong(more, 'a comma is missing before it')
  return { kind: 'letterbox', fill: value, centred: centre !== undefined }
}

function numbersOf(first: Word | undefined, list: Word | undefined, more: Word | undefined) {
  if (more !== undefined) throw wrong(more, 'a comma is missing before it')
  const numbers = (list?.text ?? '')
    .split('/')
    .map((part) => (part === '' ? Number.NaN : Number(part)))
  if (numbers.every(Number.isFinite) && (numbers.length === 1 || numbers.length === 3))
    return numbers
  throw wrong(
    list ?? first,
    'give one number, or three with slashes between, e.g. 0.485/0.456/0.406',
  )
}

function positive(
  first: Word | undefined,
  given: Word | undefined,
  more: Word | undefined,
  what: string,
): number {
  if (more !== undefined) throw wrong(more, 'a comma is missing before it')
  const value = Number(given?.text)
  if (value > 0 && value < 1e7) return value
  throw wrong(given ?? first, `give a number of ${what}`)
}

function wrong(word: Word | undefined, reason: string): DataFolderError {
  const { text = '', at = 1 } = word ?? {}
  return new DataFolderError(
    'bad-preprocessing',
    `preprocessing, at ${at}: "${text}": ${reason}; an example: resize 416 letterbox 114, bgr, nchw, 0-255`,
    { at },
  )
}
