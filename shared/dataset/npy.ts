import { ARRAY_OF, type ElementType, sizeOf, type Tensor } from '../tensors.ts'
import { DatasetError } from './errors.ts'

/** NumPy type codes and ours; the byte order stands before the code. */
const TYPES: Readonly<Record<string, ElementType>> = {
  b1: 'bool',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1')

interface Header {
  readonly descr: string
  readonly fortran: boolean
  readonly shape: readonly number[]
  /** Where the elements start. */
  readonly data: number
}

/**
 * Reads an .npy file (format versions 1–3) into row-major elements in this machine's byte order; pieces are copied
 * straight to their places.
 * @param pieces of the file, in order
 * @param length of the file
 * @param name of the file or array, for messages
 * @throws DatasetError `corrupt`, `object-array`, `unknown-type`, and what `pieces` throws
 */
export async function readNpy(
  pieces: AsyncIterable<Buffer>,
  length: number,
  name: string,
): Promise<Tensor> {
  let start = Buffer.alloc(0)
  let array: Unfilled | null = null
  let problem: unknown = null
  let filled = 0
  for await (const piece of pieces) {
    // What is wrong with a header may be damage, which a checksum at the end tells first.
    if (problem !== null) continue
    if (array !== null) {
      filled += piece.copy(array.bytes, filled)
      continue
    }
    start = Buffer.concat([start, piece])
    if (start.length < Math.min(length, headerLength(start))) continue
    try {
      array = unfilled(start, length, name)
      filled = start.copy(array.bytes, 0, array.header.data)
    } catch (error) {
      problem = error
    }
  }
  if (problem !== null) throw problem
  const { header, type, bytes } = array ?? unfilled(start, length, name)
  if (filled < bytes.length)
    throw new DatasetError('corrupt', `${name} ends early: the file is cut short or damaged`)
  if (header.descr.startsWith('>')) swapBytes(bytes, ARRAY_OF[type].BYTES_PER_ELEMENT)
  const data = new ARRAY_OF[type](bytes.buffer)
  const tensor: Tensor = { type, shape: header.shape, data }
  return header.fortran && header.shape.length > 1 ? toRowMajor(tensor) : tensor
}

interface Unfilled {
  readonly header: Header
  readonly type: ElementType
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Room for the elements that a header promises, if the file is long enough to hold them. */
function unfilled(start: Buffer, length: number, name: string): Unfilled {
  const header = parseHeader(start, name)
  const type = elementType(header.descr, name)
  const wanted = sizeOf(header.shape) * ARRAY_OF[type].BYTES_PER_ELEMENT
  if (length - header.data !== wanted)
    throw new DatasetError(
      'corrupt',
      `${name} holds ${length - header.data} bytes where ${type}[${header.shape.join(',')}] takes ${wanted}: the file is cut short or damaged`,
    )
  return { header, type, bytes: new Uint8Array(wanted) }
}

/** An .npy file of version 1. */
export function formatNpy(tensor: Tensor): Uint8Array {
  const code = Object.keys(TYPES).find((key) => TYPES[key] === tensor.type)
  const order = ARRAY_OF[tensor.type].BYTES_PER_ELEMENT === 1 ? '|' : '<'
  const { buffer, byteOffset, byteLength } = tensor.data
  const bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
  return npyOf(`${order}${code}`, tensor.shape, bytes)
}

/** Words beside samples, one for each. */
export interface TextArray {
  readonly text: readonly string[]
}

/** The same of words, as NumPy's `<U`: UTF-32, each filled up with zeros to the longest. */
export function formatTextNpy({ text }: TextArray): Uint8Array {
  const words = text.map((word) => [...word].map((character) => character.codePointAt(0) ?? 0))
  const width = Math.max(1, ...words.map(({ length }) => length))
  const codes = new Uint32Array(words.length * width)
  words.forEach((word, i) => {
    codes.set(word, i * width)
  })
  return npyOf(`<U${width}`, [words.length], Buffer.from(codes.buffer))
}

function npyOf(descr: string, dims: readonly number[], bytes: Buffer): Uint8Array {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ')
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`
  // The elements start at a multiple of 64; the header ends with a newline.
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`
  const head = Buffer.alloc(10)
  MAGIC.copy(head)
  head.writeUInt8(1, 6)
  head.writeUInt16LE(padded.length, 8)
  return Buffer.concat([head, Buffer.from(padded, 'latin1'), bytes])
}

function parseHeader(bytes: Buffer, name: string): Header {
  const damaged = (why: string) =>
    new DatasetError('corrupt', `${name} is no NumPy array: ${why}`, { name })
  if (bytes.length < LONGEST_START || !bytes.subarray(0, 6).equals(MAGIC))
    throw damaged('wrong signature')
  const end = headerLength(bytes)
  if (end > bytes.length) throw damaged('the header is cut short')
  const version = bytes.readUInt8(6)
  const text = bytes.toString(version >= 3 ? 'utf8' : 'latin1', textStart(version), end)
  const descr = /'descr'\s*:\s*(?:'([^']*)'|(\[))/.exec(text)
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)
  if (!descr || !fortran || !shape) throw damaged('the header cannot be read')
  const dims = (shape[1] ?? '').split(',').map((dim) => dim.trim())
  return {
    descr: descr[1] ?? 'structured',
    fortran: fortran[1] === 'True',
    shape: dims.filter((dim) => dim !== '').map(Number),
    data: end,
  }
}

/** Longer ones are none: NumPy itself refuses 10,000 characters. */
const LONGEST_HEADER = 2 ** 16

/** Up to the first element; as far as the length of the text where that is not there yet. */
function headerLength(bytes: Buffer): number {
  if (bytes.length < LONGEST_START) return LONGEST_START
  const version = bytes.readUInt8(6)
  const text = version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8)
  return textStart(version) + Math.min(LONGEST_HEADER, text)
}

const LONGEST_START = 12

function textStart(version: number): number {
  return version === 1 ? 10 : LONGEST_START
}

function elementType(descr: string, name: string): ElementType {
  if (descr.endsWith('O') || descr === 'structured')
    throw new DatasetError(
      'object-array',
      `${name} holds Python objects, which run code when read: save a plain numeric array`,
      { name, descr },
    )
  const type = /^[<>|=]/.test(descr) ? TYPES[descr.slice(1)] : undefined
  if (type === undefined)
    throw new DatasetError(
      'unknown-type',
      `${name} has NumPy type ${printable(descr)}: save it as bool, an integer or a float of at most 64 bits`,
      { name, descr },
    )
  return type
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse()
}

/** Column-major to row-major. */
function toRowMajor({ type, shape, data }: Tensor): Tensor {
  const out = new ARRAY_OF[type](data.length)
  const index = new Array<number>(shape.length).fill(0)
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)))
  let from = 0
  for (let to = 0; to < data.length; to++) {
    const value = data[from]
    if (value !== undefined) out[to] = value
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [dim = 0, stride = 0, at = 0] = [shape[axis], strides[axis], index[axis]]
      index[axis] = at + 1 < dim ? at + 1 : 0
      from += at + 1 < dim ? stride : -at * stride
      if (at + 1 < dim) break
    }
  }
  return { type, shape, data: out }
}

/** A damaged header may say anything; an error is one line all the same. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80)
}
