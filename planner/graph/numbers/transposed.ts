/** [rows, columns] → [columns, rows], row-major both. */
export function transposed(source: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(source.length)
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      result[column * rows + row] = source[row * columns + column] as number
    }
  }
  return result
}
