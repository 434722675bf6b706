import { type Dataset, realValues, samplesFor } from '../dataset/index.ts'
import type { Session } from '../runtime/index.ts'
import type { Tensor } from '../tensors.ts'

/**
 * The data set with a model's answers beside it: `reference` for its only output, `reference.<name>`
 * where it has several. Integer outputs as real values.
 * @throws DatasetError where data and model do not fit, RuntimeError
 */
export async function withAnswers(
  dataset: Dataset,
  session: Session,
  onProgress: (done: number, total: number) => void,
): Promise<Dataset> {
  const samples = samplesFor(dataset, session.inputs)
  const gathered = new Map<string, { shape: readonly number[]; rows: Float32Array[] }>()
  for (let sample = 0; sample < samples.count; sample += 1) {
    const outputs = await session.run(samples.at(sample))
    for (const info of session.outputs) {
      const tensor = outputs[info.name] as Tensor
      const held = gathered.get(info.name) ?? { shape: tensor.shape, rows: [] }
      gathered.set(info.name, held)
      held.rows.push(realRow(info.quantization, tensor))
    }
    onProgress(sample + 1, samples.count)
  }
  const alone = session.outputs.length === 1
  const references = [...gathered].map(([name, { shape, rows }]) => {
    const key = alone ? '' : name
    return [key, stack(shape, rows)] as const
  })
  return { ...dataset, references: new Map(references) }
}

function realRow(
  quantization: { readonly scale: number; readonly zeroPoint: number } | undefined,
  { type, data }: Tensor,
): Float32Array {
  const raw = Float32Array.from(realValues(type, data))
  if (!quantization) return raw
  return raw.map((q) => quantization.scale * (q - quantization.zeroPoint))
}

/** A batch of one loses its batch dimension: samples come first. */
function stack(shape: readonly number[], rows: readonly Float32Array[]): Tensor {
  const inner = shape[0] === 1 ? shape.slice(1) : shape
  const size = rows[0]?.length ?? 0
  const data = new Float32Array(rows.length * size)
  rows.forEach((row, i) => {
    data.set(row, i * size)
  })
  return { type: 'float32', shape: [rows.length, ...inner], data }
}
