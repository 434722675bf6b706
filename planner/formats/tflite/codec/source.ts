import { ByteBuffer } from 'flatbuffers'
import { TfliteError, type TfliteErrorCode } from '../errors.ts'
import { Budget } from './budget.ts'
import { Place } from './place.ts'
import { decodeText } from './text.ts'

/** A vtable and the table that uses it, bounds checked. FlatBuffers internals, "Tables". */
export interface TableFrame {
  position: number
  size: number
  /** Position of the vtable's first slot. */
  slotsAt: number
  slots: number
}

export interface VectorFrame {
  /** Position of the first element. */
  start: number
  length: number
}

/** The bytes of a file; every read is checked against their end before it happens. */
export class Source {
  readonly place = new Place()
  readonly buffer: ByteBuffer
  readonly size: number
  readonly #bytes: Uint8Array
  readonly #file: string
  readonly #viewsSeen = new Set<string>()
  readonly #budget: Budget
  #extent = 0

  constructor(bytes: Uint8Array, file: string) {
    // A plain Uint8Array, so that views of a Buffer are no Buffers.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.buffer = new ByteBuffer(this.#bytes)
    this.size = bytes.byteLength
    this.#file = file
    this.#budget = new Budget(this.size)
  }

  /** End of the last byte that anything decoded so far occupies. */
  get extent(): number {
    return this.#extent
  }

  fail(code: TfliteErrorCode, reason: string): never {
    throw new TfliteError(code, { file: this.#file, place: this.place.toString() }, reason)
  }

  /** Follows the offset stored at `position`. */
  target(position: number): number {
    this.#claim(position, 4, 'an offset')
    const offset = this.buffer.readUint32(position)
    if (offset === 0) this.fail('corrupt', 'a required offset is zero')
    return position + offset
  }

  table(position: number): TableFrame {
    this.#claim(position, 4, 'a table')
    const vtable = position - this.buffer.readInt32(position)
    this.#claim(vtable, 4, 'a vtable')
    const vtableSize = this.buffer.readUint16(vtable)
    const size = this.buffer.readUint16(vtable + 2)
    if (vtableSize < 4 || vtableSize % 2 !== 0 || size < 4) {
      this.fail('corrupt', `the vtable at byte ${vtable} is malformed`)
    }
    this.#claim(vtable, vtableSize, 'a vtable')
    this.#claim(position, size, 'a table')
    this.#afford(this.#budget.table(size))
    return { position, size, slotsAt: vtable + 4, slots: (vtableSize - 4) / 2 }
  }

  /** Position of a field of `width` bytes, or null where the table does not have it. */
  field(frame: TableFrame, slot: number, width: number): number | null {
    if (slot >= frame.slots) return null
    const offset = this.buffer.readUint16(frame.slotsAt + 2 * slot)
    if (offset === 0) return null
    if (offset < 4 || offset + width > frame.size) {
      this.fail('corrupt', `field ${slot} lies outside its table at byte ${frame.position}`)
    }
    return frame.position + offset
  }

  vector(position: number, elementSize: number): VectorFrame {
    this.#claim(position, 4, 'a vector')
    const length = this.buffer.readUint32(position)
    this.#claim(position + 4, length * elementSize, `a vector of ${length} elements`)
    return { start: position + 4, length }
  }

  /** A copy of a vector's elements, aligned for any typed array. */
  copy({ start, length }: VectorFrame, elementSize: number): ArrayBuffer {
    const size = length * elementSize
    this.#afford(this.#budget.bytes(size))
    return this.#bytes.slice(start, start + size).buffer as ArrayBuffer
  }

  /** A view of the file. Several owners may share it, but views may not overlap at large. */
  view(start: number, size: number): Uint8Array {
    this.#claim(start, size, `${size} bytes of data`)
    const range = `${start}+${size}`
    if (!this.#viewsSeen.has(range)) {
      this.#viewsSeen.add(range)
      this.#afford(this.#budget.bytes(size))
    }
    return this.#bytes.subarray(start, start + size)
  }

  text({ start, length }: VectorFrame): string {
    this.#afford(this.#budget.text(length))
    return decodeText(this.#bytes.subarray(start, start + length))
  }

  /** To be called before a vector becomes a plain array. */
  plainArray(length: number): void {
    this.#afford(this.#budget.elements(length))
  }

  #claim(start: number, size: number, what: string): void {
    const end = start + size
    if (start < 0 || end > this.size) {
      this.fail(
        'corrupt',
        `${what} at byte ${start} ends beyond the file (${this.size} bytes): the file is truncated or damaged`,
      )
    }
    if (end > this.#extent) this.#extent = end
  }

  #afford(refusal: string | null): void {
    if (refusal !== null) this.fail('corrupt', refusal)
  }
}
