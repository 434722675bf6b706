/** What the conductor is doing for a model, for whoever watches. */
export interface ProgressEvent {
  readonly model: string
  readonly what: string
  readonly done: number
  /** 0 where the amount of work is not known. */
  readonly total: number
}

export type ProgressListener = (event: ProgressEvent) => void

/** Progress is for people: nothing is kept, and nobody need listen. */
export class ProgressHub {
  readonly #listeners = new Set<ProgressListener>()

  emit(event: ProgressEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** What is returned ends it. */
  listen(listener: ProgressListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
