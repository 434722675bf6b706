/** A wall clock that stands until it is told to go. It starts now, because OpenSSL looks at the real one. */
export class TestClock {
  #at = Date.now()

  readonly now = (): Date => new Date(this.#at)

  goDays(days: number): void {
    this.#at += days * 86_400_000
  }

  goMs(ms: number): void {
    this.#at += ms
  }
}
