import { architectureOf } from '../../shared/runtime/index.ts'

/** What the loader will ask of a shared library, and what it offers, whatever machine it is for. */
export interface SharedLibrary {
  /** As Node names architectures. */
  readonly architecture: string
  /** Names it defines for others. */
  readonly exports: ReadonlySet<string>
  /** Libraries it cannot do without. */
  readonly needed: readonly string[]
  /** `GLIBC_2.27` and the like: versions of symbols it needs. */
  readonly versions: readonly string[]
}

interface Section {
  readonly type: number
  readonly offset: number
  readonly size: number
  readonly link: number
}

/** Where fields stand in the two classes of ELF: System V ABI, chapters 4 and 5. */
const CLASSES = {
  1: { wide: false, sectionsAt: 32, entrySizeAt: 46, symbolBytes: 16, dynamicBytes: 8 },
  2: { wide: true, sectionsAt: 40, entrySizeAt: 58, symbolBytes: 24, dynamicBytes: 16 },
} as const

const DYNAMIC = 6
const DYNSYM = 11
/** `.gnu.version_r`, GNU's own. */
const VERNEED = 0x6ffffffe
const NEEDED = 1
const GLOBAL_OR_WEAK: ReadonlySet<number> = new Set([1, 2, 10])

/** Undefined where the bytes are no shared library that this can read: little-endian ELF with its sections. */
export function readSharedLibrary(bytes: Buffer): SharedLibrary | undefined {
  const architecture = architectureOf(bytes)
  if (architecture === undefined || bytes[5] !== 1) return undefined
  try {
    const elf = new Elf(bytes)
    const { exports, needed, versions } = elf
    return { architecture, exports, needed, versions }
  } catch (cause) {
    // An offset that leads out of the file: cut short, or made up.
    if (cause instanceof RangeError) return undefined
    throw cause
  }
}

class Elf {
  readonly #bytes: Buffer
  readonly #form: (typeof CLASSES)[1 | 2]
  readonly #sections: readonly Section[]

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#form = CLASSES[bytes[4] === 2 ? 2 : 1]
    const { sectionsAt, entrySizeAt } = this.#form
    const start = this.#address(sectionsAt)
    const [size, count] = [bytes.readUInt16LE(entrySizeAt), bytes.readUInt16LE(entrySizeAt + 2)]
    this.#sections = Array.from({ length: count }, (_, i) => this.#section(start + i * size))
  }

  get exports(): ReadonlySet<string> {
    const names = new Set<string>()
    const { symbolBytes, wide } = this.#form
    for (const { offset, size, link } of this.#of(DYNSYM)) {
      for (let at = offset; at + symbolBytes <= offset + size; at += symbolBytes) {
        const info = this.#bytes.readUInt8(at + (wide ? 4 : 12))
        const section = this.#bytes.readUInt16LE(at + (wide ? 6 : 14))
        if (section === 0 || !GLOBAL_OR_WEAK.has(info >> 4)) continue
        names.add(this.#text(link, this.#bytes.readUInt32LE(at)))
      }
    }
    return names
  }

  get needed(): string[] {
    const names: string[] = []
    const { dynamicBytes } = this.#form
    for (const { offset, size, link } of this.#of(DYNAMIC)) {
      for (let at = offset; at + dynamicBytes <= offset + size; at += dynamicBytes) {
        if (this.#address(at) !== NEEDED) continue
        names.push(this.#text(link, this.#address(at + dynamicBytes / 2)))
      }
    }
    return names
  }

  get versions(): string[] {
    const names: string[] = []
    for (const { offset, size, link } of this.#of(VERNEED)) {
      for (let need = offset, next = 1; next !== 0 && need < offset + size; need += next) {
        let aux = need + this.#bytes.readUInt32LE(need + 8)
        for (let left = this.#bytes.readUInt16LE(need + 2); left > 0; left -= 1) {
          names.push(this.#text(link, this.#bytes.readUInt32LE(aux + 8)))
          aux += this.#bytes.readUInt32LE(aux + 12)
        }
        next = this.#bytes.readUInt32LE(need + 12)
      }
    }
    return names
  }

  #of(type: number): Section[] {
    return this.#sections.filter((section) => section.type === type)
  }

  #section(at: number): Section {
    const { wide } = this.#form
    return {
      type: this.#bytes.readUInt32LE(at + 4),
      offset: this.#address(at + (wide ? 24 : 16)),
      size: this.#address(at + (wide ? 32 : 20)),
      link: this.#bytes.readUInt32LE(at + (wide ? 40 : 24)),
    }
  }

  #text(section: number, offset: number): string {
    const { offset: start = 0, size = 0 } = this.#sections[section] ?? {}
    const end = this.#bytes.indexOf(0, start + offset)
    if (offset >= size || end < 0) throw new RangeError('a name outside its table')
    return this.#bytes.toString('latin1', start + offset, end)
  }

  #address(at: number): number {
    return this.#form.wide ? Number(this.#bytes.readBigUInt64LE(at)) : this.#bytes.readUInt32LE(at)
  }
}
