import { type Dataset, samplesFor } from '../../../shared/dataset/index.ts'
import type { TensorInfo } from '../../../shared/runtime/index.ts'
import { LitertEngine } from '../../../shared/runtime/litert/engine.ts'
import type { Tensor } from '../../../shared/tensors.ts'

/** Signal to error of each output in dB, by name; infinite where the two agree to the bit. */
export async function outputSqnr(
  float: Uint8Array,
  quantized: Uint8Array,
  dataset: Dataset,
): Promise<Record<string, number>> {
  const expected = await realOutputs(float, dataset)
  const found = await realOutputs(quantized, dataset)
  return Object.fromEntries(
    [...expected].map(([name, values]) => [name, sqnrDb(values, found.get(name) ?? [])]),
  )
}

/** All samples' outputs as real numbers, one after the other. */
export async function realOutputs(
  model: Uint8Array,
  dataset: Dataset,
): Promise<Map<string, number[]>> {
  // One runtime for all comparisons of a test file: starting it takes longer than running small models.
  engine ??= LitertEngine.start()
  const loaded = (await engine).load(model)
  try {
    const samples = samplesFor(dataset, loaded.inputs)
    const outputs = loaded.outputs.map((): number[] => [])
    for (let i = 0; i < samples.count; i += 1) {
      loaded.run(samples.at(i)).forEach((tensor, at) => {
        outputs[at]?.push(...reals(loaded.outputs[at], tensor))
      })
    }
    return new Map(loaded.outputs.map(({ name }, at) => [name, outputs[at] ?? []]))
  } finally {
    loaded.close()
  }
}

let engine: Promise<LitertEngine> | undefined

function reals(info: TensorInfo | undefined, { data }: Tensor): number[] {
  const numbers = Array.from(data as ArrayLike<number>, Number)
  const quantization = info?.quantization
  if (quantization === undefined) return numbers
  return numbers.map((code) => (code - quantization.zeroPoint) * quantization.scale)
}

export function sqnrDb(expected: readonly number[], found: readonly number[]): number {
  let signal = 0
  let error = 0
  expected.forEach((value, i) => {
    signal += value ** 2
    error += (value - (found[i] ?? Number.NaN)) ** 2
  })
  return error === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / error)
}
