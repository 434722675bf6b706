/** Every nth of `expected` gives about `enough`. Odd, so that it does not keep step with channels, which come in even numbers. */
export function strideFor(expected: number, enough: number): number {
  const stride = Math.max(1, Math.floor(expected / enough))
  return stride % 2 === 0 ? stride - 1 : stride
}
