/** Why the copy of the artifacts gave no blocks: never the end of a download, which goes on by the broker. */
export class CopyError extends Error {
  /** The connection ended on the way: to go on where it stopped may help. */
  readonly isCut: boolean
  /** How long it asks to be left alone, ms. */
  readonly retryAfterMs: number

  constructor(message: string, { isCut = false, retryAfterMs = 0 } = {}) {
    super(message)
    this.name = 'CopyError'
    this.isCut = isCut
    this.retryAfterMs = retryAfterMs
  }
}
