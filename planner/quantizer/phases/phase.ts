/** One step of a quantization: what is known before → what is known after. */
export type Phase<Before, After> = (state: Before) => After | Promise<After>

/** Phases one after the other; one that needs what no earlier phase found out does not compile. */
export class Phases<Before, After> {
  readonly #run: (state: Before) => Promise<After>

  private constructor(run: (state: Before) => Promise<After>) {
    this.#run = run
  }

  static first<Before, After>(phase: Phase<Before, After>): Phases<Before, After> {
    return new Phases(async (state) => phase(state))
  }

  next<Then>(phase: Phase<After, Then>): Phases<Before, Then> {
    return new Phases(async (state: Before) => phase(await this.#run(state)))
  }

  run(state: Before): Promise<After> {
    return this.#run(state)
  }
}
