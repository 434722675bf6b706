/** One question of `npm run bench:quality`: a model (or many) quantized by everybody, and what ours must reach. */
export interface QualitySubject {
  readonly name: string
  /** Why it cannot be asked here, printed instead of tables. */
  unavailable?(): string | undefined
  run(): Promise<readonly QualityTable[]>
}

export interface QualityTable {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly QualityRow[]
  /** What a reader must know: peers that are absent, how something was made. */
  readonly notes: readonly string[]
}

export interface QualityRow {
  readonly cells: readonly string[]
  /** On our rows: what was promised, and whether it was reached. */
  readonly promise?: { readonly text: string; readonly kept: boolean }
}
