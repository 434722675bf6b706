import { type Dataset, toDataset } from '../../../../shared/dataset/index.ts'
import {
  buildTflite,
  type ConstantSpec,
  numbers,
  type OperatorSpec,
} from '../../../planner/quantizer/model-builder.ts'
import { normalNumbers } from '../random.ts'

/** Widths as in the anomaly detector of MLPerf Tiny. */
const WIDTHS = [640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640] as const
const FACTORS = 16

/** Samples × width, row by row. */
interface Rows {
  readonly count: number
  readonly width: number
  readonly data: Float32Array<ArrayBuffer>
}

interface Layer {
  readonly weights: Float32Array<ArrayBuffer>
  readonly bias: Float32Array<ArrayBuffer>
  readonly answers: Rows
  /** Largest range of a channel's weights ÷ smallest. */
  readonly unevenness: number
}

export interface UnevenAutoencoder {
  readonly bytes: Uint8Array
  /** Of the layer in the middle, when layers are sorted by it. */
  readonly unevenness: number
}

/**
 * Channels that average hundreds of inputs beside channels that pick a few, all brought to the same output range as
 * by batch normalisation: their weights then differ some 40 times in range, and every channel matters.
 */
export function unevenAutoencoder(): UnevenAutoencoder {
  const constants: Record<string, ConstantSpec> = {}
  const operators: OperatorSpec[] = []
  const unevenness: number[] = []
  let inputs = rowsOf(300, 1)
  for (const [at, width] of WIDTHS.slice(1).entries()) {
    const last = at === WIDTHS.length - 2
    const layer = layerOn(inputs, width, at, !last)
    constants[`w${at}`] = { shape: [width, inputs.width], data: layer.weights }
    constants[`b${at}`] = { shape: [width], data: layer.bias }
    operators.push(operatorOf(at, width, last))
    unevenness.push(layer.unevenness)
    inputs = layer.answers
  }
  unevenness.sort((a, b) => a - b)
  return {
    bytes: buildTflite({ inputs: { h0: [1, WIDTHS[0]] }, constants, operators, outputs: ['y'] }),
    unevenness: unevenness[unevenness.length >> 1] ?? 0,
  }
}

/** Sums of a few factors, and noise. */
export function autoencoderData(count: number, seed: number): Dataset {
  const { width, data } = rowsOf(count, seed)
  return toDataset(new Map([['x', { type: 'float32', shape: [count, 1, width], data }]]), 'made')
}

function rowsOf(count: number, seed: number): Rows {
  const width = WIDTHS[0]
  const mixing = normalNumbers(FACTORS * width, 7)
  const factors = normalNumbers(count * FACTORS, 10 + seed)
  const data = normalNumbers(count * width, 20 + seed).map((noise, i) => {
    const row = Math.floor(i / width) * FACTORS
    let sum = 0.1 * noise + 1.5 * (factors[row] ?? 0)
    for (let k = 0; k < FACTORS; k += 1) {
      sum += ((factors[row + k] ?? 0) * (mixing[k * width + (i % width)] ?? 0)) / 4
    }
    return sum
  })
  return { count, width, data }
}

function layerOn(inputs: Rows, width: number, at: number, rectified: boolean): Layer {
  const { count, width: taken } = inputs
  const weights = new Float32Array(width * taken)
  const bias = new Float32Array(width)
  const data = new Float32Array(count * width)
  const shifts = numbers([width], -0.5, 1, 500 + at)
  const ranges: number[] = []
  for (let channel = 0; channel < width; channel += 1) {
    const row = weights.subarray(channel * taken, (channel + 1) * taken)
    // From one input to all of them, evenly in the exponent.
    row.set(sparse(taken, taken ** (((channel * 37 + at * 11) % width) / (width - 1)), at, channel))
    const sums = sumsOf(inputs, row)
    const mean = sums.reduce((total, sum) => total + sum, 0) / count
    const deviation = Math.sqrt(sums.reduce((total, sum) => total + (sum - mean) ** 2, 0) / count)
    row.forEach((weight, i) => {
      row[i] = weight / deviation
    })
    bias[channel] = (shifts[channel] ?? 0) - mean / deviation
    sums.forEach((sum, sample) => {
      const answer = (sum - mean) / deviation + (shifts[channel] ?? 0)
      data[sample * width + channel] = rectified ? Math.max(0, answer) : answer
    })
    ranges.push(Math.max(...row.map(Math.abs)))
  }
  const unevenness = Math.max(...ranges) / Math.min(...ranges)
  return { weights, bias, answers: { count, width, data }, unevenness }
}

function sparse(length: number, wanted: number, at: number, channel: number): Float32Array {
  const sizes = normalNumbers(length, 1000 * at + channel)
  const draws = numbers([length + 1], 0, 1, 7 + 1000 * at + channel)
  const one = Math.floor((draws[length] ?? 0) * length)
  return sizes.map((size, i) =>
    i === one || (draws[i] ?? 1) < wanted / length ? Math.abs(size) : 0,
  )
}

function sumsOf({ count, width, data }: Rows, row: Float32Array): Float64Array {
  return Float64Array.from({ length: count }, (_, sample) =>
    row.reduce((sum, weight, i) => sum + weight * (data[sample * width + i] ?? 0), 0),
  )
}

function operatorOf(at: number, width: number, last: boolean): OperatorSpec {
  return {
    code: 'FULLY_CONNECTED',
    inputs: [`h${at}`, `w${at}`, `b${at}`],
    outputs: { [last ? 'y' : `h${at + 1}`]: [1, width] },
    options: {
      type: 'FullyConnectedOptions',
      fusedActivationFunction: last ? 'NONE' : 'RELU',
      weightsFormat: 'DEFAULT',
      keepNumDims: false,
      asymmetricQuantizeInputs: false,
    },
  }
}
