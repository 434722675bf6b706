import type { MomentBlock } from '../../observers/statistics.ts'

/** Added to every variance, as a share of their mean: inputs that never moved decide nothing. */
const DAMPING = 1e-3

/** Sweeps over the codes, each of which may move by one. */
const SWEEPS = 2

/**
 * Second moments of some inputs as a metric: how much an error vector e of their weights costs, eᵀHe.
 * Off the diagonal they shrink by how few vectors they were learnt from, so that little data rounds to nearest.
 */
export interface Metric {
  readonly size: number
  /** Symmetric, row-major. */
  readonly matrix: Float64Array
  /** Lower triangle L of H = LLᵀ, over inputs in the order of `order`. */
  readonly factor: Float64Array
  /** Inputs from the least to the most variable. */
  readonly order: Int32Array
}

export function metricOf({ size, sums }: MomentBlock, rows: number): Metric | null {
  const variance = (i: number) => (sums[i * size + i] as number) / rows
  let mean = 0
  for (let i = 0; i < size; i += 1) mean += variance(i) / size
  if (rows === 0 || !(mean > 0) || !Number.isFinite(mean)) return null
  const trust = rows / (rows + size)
  const matrix = new Float64Array(size * size)
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const value = ((sums[i * size + j] as number) / rows) * trust
      matrix[i * size + j] = value
      matrix[j * size + i] = value
    }
    matrix[i * size + i] = variance(i) + DAMPING * mean
  }
  const order = Int32Array.from({ length: size }, (_, i) => i)
  order.sort((a, b) => variance(a) - variance(b))
  return { size, matrix, order, factor: choleskyOf(matrix, order, size) }
}

/** Cholesky's factor of the matrix with rows and columns in the given order. */
function choleskyOf(matrix: Float64Array, order: Int32Array, size: number): Float64Array {
  const factor = new Float64Array(size * size)
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = matrix[(order[i] as number) * size + (order[j] as number)] as number
      const [row, column] = [i * size, j * size]
      for (let k = 0; k < j; k += 1) {
        sum -= (factor[row + k] as number) * (factor[column + k] as number)
      }
      factor[row + j] = i === j ? Math.sqrt(sum) : sum / (factor[column + j] as number)
    }
  }
  return factor
}

/**
 * Integer codes near `weights` (in steps of their scale) of small cost under the metric: each code in turn, the
 * most variable input first, takes in what the codes before have lost (Babai's nearest plane, which is GPTQ:
 * Frantar et al., 2022), then single codes move by one while that helps.
 */
export function closestCodes(weights: Float64Array, metric: Metric, limit: number): Float64Array {
  const codes = nearestPlane(weights, metric, limit)
  improve(codes, weights, metric, limit)
  return codes
}

function nearestPlane(weights: Float64Array, metric: Metric, limit: number): Float64Array {
  const { size, factor, order } = metric
  const codes = new Float64Array(size)
  // Lᵀe, from the last input on: what row k of it has gathered from the inputs behind k.
  const carried = new Float64Array(size)
  for (let k = size - 1; k >= 0; k -= 1) {
    const input = order[k] as number
    const row = k * size
    const wanted = (weights[input] as number) + (carried[k] as number) / (factor[row + k] as number)
    const code = clamp(Math.round(wanted), limit)
    codes[input] = code
    const error = (weights[input] as number) - code
    for (let j = 0; j < k; j += 1) {
      carried[j] = (carried[j] as number) + (factor[row + j] as number) * error
    }
  }
  return codes
}

function improve(codes: Float64Array, weights: Float64Array, metric: Metric, limit: number): void {
  const { size, matrix } = metric
  const gradient = gradientOf(codes, weights, metric)
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    let moved = false
    for (let i = 0; i < size; i += 1) {
      const row = i * size
      const step = Math.round((gradient[i] as number) / (matrix[row + i] as number))
      const code = clamp((codes[i] as number) + step, limit)
      const change = code - (codes[i] as number)
      if (change === 0) continue
      codes[i] = code
      moved = true
      for (let j = 0; j < size; j += 1) {
        gradient[j] = (gradient[j] as number) - change * (matrix[row + j] as number)
      }
    }
    if (!moved) return
  }
}

/** H(w − q). */
function gradientOf(codes: Float64Array, weights: Float64Array, metric: Metric): Float64Array {
  const { size, matrix } = metric
  const errors = errorsOf(codes, weights)
  return errors.map((_, i) => rowTimes(matrix, i * size, errors, size))
}

/** eᵀHe for e = w − q, from the lower half of H. */
export function costOf(codes: Float64Array, weights: Float64Array, metric: Metric): number {
  const { size, matrix } = metric
  const errors = errorsOf(codes, weights)
  return errors.reduce((cost, error, i) => {
    const row = i * size
    const before = rowTimes(matrix, row, errors, i)
    return cost + error * (2 * before + (matrix[row + i] as number) * error)
  }, 0)
}

function errorsOf(codes: Float64Array, weights: Float64Array): Float64Array {
  return weights.map((weight, i) => weight - (codes[i] as number))
}

/** The first `length` numbers of a row by those of a vector. Two sums: one would wait for itself. */
function rowTimes(matrix: Float64Array, row: number, vector: Float64Array, length: number): number {
  let even = 0
  let odd = 0
  for (let j = 0; j + 1 < length; j += 2) {
    even += (matrix[row + j] as number) * (vector[j] as number)
    odd += (matrix[row + j + 1] as number) * (vector[j + 1] as number)
  }
  const last = length - 1
  if (length % 2 === 1) even += (matrix[row + last] as number) * (vector[last] as number)
  return even + odd
}

function clamp(code: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, code))
}
