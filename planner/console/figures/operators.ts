/** How many operators a model has, of whatever kinds. */
export function operatorCount(kinds: readonly { readonly count: number }[]): number {
  return kinds.reduce((total, { count }) => total + count, 0)
}
