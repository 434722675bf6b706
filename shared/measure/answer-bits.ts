/** Samples whose answers travel one by one; more than any test slice has. */
export const MOST_SAMPLES = 1024

/**
 * Which samples were answered, and how each: bit i of byte ⌊i/8⌋ is sample i, least significant first. So two sides
 * compare the very samples that both answered, whoever ran out of time. Its schema: `answer-bits-schema.ts`.
 */
export interface AnswerBits {
  readonly answered: string
  /** Named the label. */
  readonly right?: string | undefined
  /** Named the class that the reference names. */
  readonly agreed?: string | undefined
  /** Sums of squares per sample, of each output: of the reference, and of the difference from it. Only kept on this host. */
  readonly energies?:
    | { readonly name: string; readonly signal: number[]; readonly noise: number[] }[]
    | undefined
}

export interface SampleError {
  readonly name: string
  readonly signal: number
  readonly noise: number
}

/** Collects them sample by sample; of a set too large to travel no more than of one that does. */
export class AnswerTally {
  #count = 0
  readonly #answered = new Set<number>()
  readonly #right = new Set<number>()
  readonly #agreed = new Set<number>()
  readonly #errors = new Map<string, Map<number, SampleError>>()

  add(sample: number, errors: readonly SampleError[]): void {
    this.#count = Math.max(this.#count, sample + 1)
    if (sample >= MOST_SAMPLES) return
    this.#answered.add(sample)
    for (const error of errors) {
      const held = this.#errors.get(error.name) ?? new Map<number, SampleError>()
      this.#errors.set(error.name, held.set(sample, error))
    }
  }

  addAnswer(sample: number, isRight: boolean, hasAgreed: boolean): void {
    if (sample >= MOST_SAMPLES) return
    if (isRight) this.#right.add(sample)
    if (hasAgreed) this.#agreed.add(sample)
  }

  /** Undefined of more samples than travel. */
  record({
    judged,
    compared,
    energies,
  }: {
    readonly judged: boolean
    readonly compared: boolean
    readonly energies: boolean
  }): AnswerBits | undefined {
    const count = this.#count
    if (count === 0 || count > MOST_SAMPLES) return undefined
    return {
      answered: toBits(this.#answered, count),
      ...(judged && { right: toBits(this.#right, count) }),
      ...(compared && { agreed: toBits(this.#agreed, count) }),
      ...(energies && {
        energies: [...this.#errors].map(([name, bySample]) => ({
          name,
          signal: perSample(count, (i) => bySample.get(i)?.signal),
          noise: perSample(count, (i) => bySample.get(i)?.noise),
        })),
      }),
    }
  }
}

/** Indices of the bits that are set. */
export function readBits(text: string): ReadonlySet<number> {
  const bytes = Buffer.from(text, 'base64')
  const found = new Set<number>()
  for (let i = 0; i < 8 * bytes.length; i++) if (((bytes[i >> 3] ?? 0) >> (i & 7)) & 1) found.add(i)
  return found
}

function toBits(indices: ReadonlySet<number>, count: number): string {
  const bytes = Buffer.alloc(Math.ceil(count / 8))
  for (const i of indices) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7))
  return bytes.toString('base64')
}

function perSample(count: number, valueAt: (i: number) => number | undefined): number[] {
  return Array.from({ length: count }, (_, i) => Number((valueAt(i) ?? 0).toPrecision(6)))
}
