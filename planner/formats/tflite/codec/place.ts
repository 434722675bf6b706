/** Where the codec is in the model tree, kept as a stack so that only an error pays for the text. */
export class Place {
  readonly #steps: (string | number)[] = []

  within<T>(step: string | number, work: () => T): T {
    this.#steps.push(step)
    const result = work()
    this.#steps.pop()
    return result
  }

  /** `subgraphs[0].operators[3].builtinOptions` */
  toString(): string {
    return this.#steps
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
      .join('')
      .replace(/^\./, '')
  }
}
