import { TfliteError } from '../errors.ts'
import type { TflModel } from '../model.ts'
import { ByteRanges } from './byte-ranges.ts'
import { Encoder, type OutsideBytes } from './encode.ts'
import { IDENTIFIER } from './read.ts'
import { largestSizeOf } from './size.ts'

/** Offsets in a flatbuffer are signed and 32 bits wide. */
const LARGEST_FLATBUFFER = 2 ** 31 - 1
/** Buffers start at multiples of this, inside (`force_align`) and behind the flatbuffer alike. */
const ALIGNMENT = 16
const SLOTS_AT = 4

/**
 * The model as the bytes of a .tflite file: one copy of its buffers. Buffers marked `outside`, and
 * all of them where the flatbuffer would pass `largestFlatbuffer` bytes, go behind it.
 * @throws TfliteError `unwritable` naming the place, `too-large`.
 */
export function writeTflite(
  { attachment, ...model }: TflModel,
  { largestFlatbuffer = LARGEST_FLATBUFFER } = {},
): Uint8Array {
  const size = largestSizeOf(model)
  const everythingOutside = size > largestFlatbuffer
  try {
    const encoder = new Encoder(everythingOutside ? 2 ** 20 : size, everythingOutside)
    const root = encoder.table('Model', model)
    encoder.builder.finish(root, IDENTIFIER)
    const flatbuffer = encoder.builder.asUint8Array()
    if (encoder.outside.length === 0 && !attachment) return flatbuffer
    return append(flatbuffer, encoder.outside, attachment ?? new Uint8Array())
  } catch (error) {
    throw isOutOfSpace(error) ? tooLarge(error) : error
  }
}

/** Flatbuffer, each outside range once at an aligned place, attachment. */
function append(
  flatbuffer: Uint8Array,
  outside: readonly OutsideBytes[],
  attachment: Uint8Array,
): Uint8Array {
  const places = new ByteRanges<number>()
  const parts = [{ bytes: flatbuffer, at: 0 }]
  let end = flatbuffer.length
  for (const { bytes, table, slot } of outside) {
    let at = places.get(bytes)
    if (at === undefined) {
      at = aligned(end)
      end = at + bytes.length
      places.set(bytes, at)
      parts.push({ bytes, at })
    }
    storePlace(flatbuffer, flatbuffer.length - table, slot, at)
  }
  const file = new Uint8Array(end + attachment.length)
  for (const { bytes, at } of parts) file.set(bytes, at)
  file.set(attachment, end)
  return file
}

/** Puts `place` into the 64-bit field that the encoder laid down with a provisional value. */
function storePlace(flatbuffer: Uint8Array, table: number, slot: number, place: number): void {
  const view = new DataView(flatbuffer.buffer, flatbuffer.byteOffset, flatbuffer.byteLength)
  const vtable = table - view.getInt32(table, true)
  const field = view.getUint16(vtable + SLOTS_AT + 2 * slot, true)
  view.setBigUint64(table + field, BigInt(place), true)
}

function aligned(position: number): number {
  return Math.ceil(position / ALIGNMENT) * ALIGNMENT
}

/** The builder's own limit, or an array that cannot be allocated. */
function isOutOfSpace(error: unknown): boolean {
  if (error instanceof RangeError) return true
  return error instanceof Error && error.message.includes('2 gigabytes')
}

function tooLarge(cause: unknown): TfliteError {
  return new TfliteError(
    'too-large',
    { file: 'model to write', place: '' },
    'it is too large for one .tflite file or for the memory of this machine',
    { cause },
  )
}
