/**
 * Bytes under way, of each account and of all. Past the total every account still has its first
 * grant: devices that do not read hold what they have, and nobody waits for them.
 */
export class ByteBudget {
  readonly #perAccount: number
  readonly #total: number
  /** Accounts below their own share that wait for the total, longest first. */
  readonly #queue = new Set<ByteAccount>()
  #used = 0

  constructor(perAccount: number, total: number) {
    this.#perAccount = perAccount
    this.#total = total
  }

  get used(): number {
    return this.#used
  }

  open(): ByteAccount {
    return new ByteAccount({
      mayTake: (account, bytes) => this.#mayTake(account, bytes),
      changed: (account, bytes) => this.#changed(account, bytes),
    })
  }

  #mayTake(account: ByteAccount, bytes: number): boolean {
    const isWithinShare = account.used + bytes <= this.#perAccount
    const fits = account.used === 0 || (isWithinShare && this.#used + bytes <= this.#total)
    if (isWithinShare && !fits) this.#queue.add(account)
    else this.#queue.delete(account)
    return fits
  }

  #changed(account: ByteAccount, bytes: number): void {
    this.#used += bytes
    if (bytes < 0) account.wake()
    const [longestWaiting] = this.#queue
    longestWaiting?.wake()
  }
}

interface Bank {
  mayTake(account: ByteAccount, bytes: number): boolean
  changed(account: ByteAccount, bytes: number): void
}

export class ByteAccount {
  readonly #bank: Bank
  #used = 0
  #wake: (() => void) | undefined

  constructor(bank: Bank) {
    this.#bank = bank
  }

  get used(): number {
    return this.#used
  }

  /** Resolves when so many more bytes may be under way. One caller at a time. */
  async take(bytes: number): Promise<void> {
    while (!this.#bank.mayTake(this, bytes)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#used += bytes
    this.#bank.changed(this, bytes)
  }

  give(bytes: number): void {
    this.#used -= bytes
    this.#bank.changed(this, -bytes)
  }

  /** Look again whether there is room. */
  wake(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
