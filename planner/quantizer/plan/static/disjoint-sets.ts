/** Union-find over dense integers; `union(into, from)` keeps `into`'s root. */
export class DisjointSets {
  readonly #parents: number[] = []

  find(member: number): number {
    const parent = this.#parents[member] ?? member
    if (parent === member) return member
    const root = this.find(parent)
    this.#parents[member] = root
    return root
  }

  union(into: number, from: number): void {
    this.#parents[this.find(from)] = this.find(into)
  }
}
