/**
 * Weights of a linear model with the least squared error, drawn towards zero by `ridge`: solves (XᵀX + ridge·I) w = Xᵀy by
 * Cholesky's decomposition. (Hoerl & Kennard 1970, Ridge regression.)
 * @param ridge above zero, so that there is always one solution
 */
export function leastSquares(
  rows: readonly (readonly number[])[],
  values: readonly number[],
  ridge: number,
): number[] {
  const size = rows[0]?.length ?? 0
  const normal = Array.from({ length: size }, (_, i) => {
    const row = new Float64Array(size)
    row[i] = ridge
    return row
  })
  const right = new Float64Array(size)
  for (const [n, row] of rows.entries()) {
    for (let i = 0; i < size; i++) {
      const x = row[i] ?? 0
      if (x === 0) continue
      right[i] = (right[i] ?? 0) + x * (values[n] ?? 0)
      const target = normal[i] as Float64Array
      for (let j = 0; j <= i; j++) target[j] = (target[j] ?? 0) + x * (row[j] ?? 0)
    }
  }
  const lower = cholesky(normal)
  return backward(lower, forward(lower, right))
}

/** In place, the lower triangle. */
function cholesky(matrix: Float64Array[]): Float64Array[] {
  for (const [i, row] of matrix.entries()) {
    for (let j = 0; j <= i; j++) {
      const other = matrix[j] as Float64Array
      let sum = row[j] ?? 0
      for (let k = 0; k < j; k++) sum -= (row[k] ?? 0) * (other[k] ?? 0)
      row[j] = i === j ? Math.sqrt(sum) : sum / (other[j] ?? 1)
    }
  }
  return matrix
}

function forward(lower: readonly Float64Array[], right: Float64Array): Float64Array {
  const solved = new Float64Array(right.length)
  for (const [i, row] of lower.entries()) {
    let sum = right[i] ?? 0
    for (let k = 0; k < i; k++) sum -= (row[k] ?? 0) * (solved[k] ?? 0)
    solved[i] = sum / (row[i] ?? 1)
  }
  return solved
}

function backward(lower: readonly Float64Array[], right: Float64Array): number[] {
  const solved = new Array<number>(right.length).fill(0)
  for (let i = right.length - 1; i >= 0; i--) {
    let sum = right[i] ?? 0
    for (let k = i + 1; k < right.length; k++) sum -= (lower[k]?.[i] ?? 0) * (solved[k] ?? 0)
    solved[i] = sum / (lower[i]?.[i] ?? 1)
  }
  return solved
}
