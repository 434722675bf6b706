import { DataFolderError } from './errors.ts'

/** Channels averaged; −1 … 1. */
export interface Sound {
  readonly rate: number
  readonly data: Float32Array
}

type Reader = (view: DataView, at: number) => number

/** What a sample of these formats and bits is; a format is 1 for integers and 3 for floats. (RIFF, Microsoft 1994.) */
const READERS: Readonly<Record<string, Reader>> = {
  '1/8': (view, at) => (view.getUint8(at) - 128) / 128,
  '1/16': (view, at) => view.getInt16(at, true) / 2 ** 15,
  '1/24': (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23,
  '1/32': (view, at) => view.getInt32(at, true) / 2 ** 31,
  '3/32': (view, at) => view.getFloat32(at, true),
  '3/64': (view, at) => view.getFloat64(at, true),
}

/** The format stands in the first two bytes of an identifier instead. */
const EXTENSIBLE = 0xfffe

interface Format {
  readonly code: number
  readonly channels: number
  readonly rate: number
  readonly bits: number
}

/** @throws DataFolderError `unreadable-sound` */
export function readWav(bytes: Uint8Array, path: string): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (textAt(view, 0) !== 'RIFF' || textAt(view, 8) !== 'WAVE')
    throw damaged(path, 'it is no WAV file')
  let format: Format | null = null
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const [name, size] = [textAt(view, at), view.getUint32(at + 4, true)]
    const start = at + 8
    if (name === 'fmt ') format = formatAt(view, start, size, path)
    if (name === 'data') {
      if (format === null) throw damaged(path, 'its sound comes before its format')
      if (start + size > view.byteLength) throw damaged(path, 'it is cut short')
      return { rate: format.rate, data: averaged(view, start, size, format, path) }
    }
    // Chunks begin at even places.
    at = start + size + (size % 2)
  }
  throw damaged(path, 'it holds no sound')
}

function formatAt(view: DataView, at: number, size: number, path: string): Format {
  if (size < 16 || at + size > view.byteLength) throw damaged(path, 'its format is cut short')
  const code = view.getUint16(at, true)
  const extended = code === EXTENSIBLE && size >= 26
  return {
    code: extended ? view.getUint16(at + 24, true) : code,
    channels: view.getUint16(at + 2, true),
    rate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  }
}

function averaged(
  view: DataView,
  start: number,
  size: number,
  { code, channels, bits }: Format,
  path: string,
): Float32Array {
  const read = READERS[`${code}/${bits}`]
  if (read === undefined || channels === 0)
    throw damaged(path, `it holds ${bits} bits of format ${code}: convert it to PCM of 16 bits`)
  const bytes = bits / 8
  const data = new Float32Array(Math.floor(size / (bytes * channels)))
  for (let i = 0; i < data.length; i += 1) {
    let sum = 0
    for (let c = 0; c < channels; c += 1) sum += read(view, start + (i * channels + c) * bytes)
    data[i] = sum / channels
  }
  return data
}

function textAt(view: DataView, at: number): string {
  if (at + 4 > view.byteLength) return ''
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)))
}

function damaged(path: string, reason: string): DataFolderError {
  return new DataFolderError('unreadable-sound', `cannot read ${path}: ${reason}`, { path })
}
