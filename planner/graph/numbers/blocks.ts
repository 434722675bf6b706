/** Symmetric int4 codes of a matrix, in blocks along its rows. */
export interface BlockCodes {
  /** Codes 0…15 for −8…7, row after row, each row filled up to whole blocks with zeros (8). */
  readonly codes: Uint8Array
  /** One per block, row after row. */
  readonly scales: Float32Array<ArrayBuffer>
  readonly blocksPerRow: number
}

/** Shares of the full scale that are tried: clipping the largest number may serve all others better. */
const SHARES = [1, 0.95, 0.9, 0.85, 0.8]

/**
 * The number of largest magnitude takes code −8, whatever its sign: one step more than ±7 has. Of a few
 * scales the one with the least squared error stays.
 * @param values row-major [rows, columns]
 */
export function blockCodes(values: Float32Array, columns: number, block: number): BlockCodes {
  const rows = values.length / columns
  const blocksPerRow = Math.ceil(columns / block)
  const codes = new Uint8Array(rows * blocksPerRow * block).fill(8)
  const scales = new Float32Array(rows * blocksPerRow)
  for (let at = 0; at < scales.length; at += 1) {
    const [row, inRow] = [Math.floor(at / blocksPerRow), (at % blocksPerRow) * block]
    const part = values.subarray(
      row * columns + inRow,
      row * columns + Math.min(columns, inRow + block),
    )
    const scale = bestScale(part)
    scales[at] = scale
    part.forEach((value, i) => {
      codes[at * block + i] = codeOf(value, scale) + 8
    })
  }
  return { codes, scales, blocksPerRow }
}

function bestScale(part: Float32Array): number {
  let largest = 0
  for (const value of part) if (Math.abs(value) > Math.abs(largest)) largest = value
  if (largest === 0) return 1
  const tried = SHARES.map((share) => Math.fround((largest / -8) * share))
  return tried.reduce((best, scale) => (errorOf(part, scale) < errorOf(part, best) ? scale : best))
}

function errorOf(part: Float32Array, scale: number): number {
  let sum = 0
  for (const value of part) sum += (value - codeOf(value, scale) * scale) ** 2
  return sum
}

function codeOf(value: number, scale: number): number {
  return Math.min(7, Math.max(-8, Math.round(value / scale)))
}
