import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Dataset, type Samples, samplesFor } from '../../shared/dataset/index.ts'
import { messageOf } from '../../shared/errors.ts'
import type { Finding } from '../../shared/findings.ts'
import type { TensorInfo } from '../../shared/runtime/index.ts'
import { zerosFor } from '../../shared/runtime/index.ts'
import type { Tensor } from '../../shared/tensors.ts'
import type { Audit } from '../graph/index.ts'
import { QuantizerError } from './errors.ts'
import type { InferencePool } from './inference-pool/inference-pool.ts'
import type { LoadWishes } from './inference-pool/messages.ts'
import { inScratch } from './scratch.ts'

/**
 * Loads and runs a file we wrote, in the runtime it is for: only then may it be called a variant.
 * @returns what `audit` finds in what the runtime made of it
 * @throws QuantizerError `verification-failed`, `no-scratch-space`
 */
export async function verify(
  bytes: Uint8Array,
  audit: Audit | null,
  pool: InferencePool,
  dataset: Dataset | undefined,
): Promise<readonly Finding[]> {
  if (audit === null) {
    await tryOut(bytes, pool, dataset)
    return []
  }
  const { signedActivations } = audit
  // As this machine would load it; below as those do that it is for.
  if (signedActivations) await tryOut(bytes, pool, dataset)
  return inScratch(bytes.length, async (folder) => {
    const optimizedModelPath = join(folder, 'optimized.onnx')
    await tryOut(bytes, pool, dataset, { optimizedModelPath, signedActivations })
    return audit.judge(await readFile(optimizedModelPath))
  })
}

async function tryOut(
  bytes: Uint8Array,
  pool: InferencePool,
  dataset: Dataset | undefined,
  wishes: LoadWishes = {},
): Promise<void> {
  let hint = ''
  try {
    const inputs = await pool.load(bytes, wishes)
    const open = inputs.find(({ shape }) => shape.some((dim) => dim < 0))
    if (open !== undefined && dataset === undefined) {
      hint = `; input "${open.name}" leaves sizes open: say them with --shape, or give calibration data`
    }
    await pool.run({ count: 1, at: () => firstSample(inputs, dataset) })
  } catch (cause) {
    throw new QuantizerError(
      'verification-failed',
      `the quantized model does not run: ${messageOf(cause)}${hint}`,
      {},
      { cause },
    )
  }
}

/** Zeros where nobody gave data. */
function firstSample(inputs: readonly TensorInfo[], dataset: Dataset | undefined): Tensor[] {
  const sample = dataset === undefined ? zerosFor(inputs) : samplesOrZeros(inputs, dataset).at(0)
  return inputs.map(({ name }) => sample[name] as Tensor)
}

/** ONNX does not say what the codes of an integer input stand for, so real numbers cannot be fed. */
export function samplesOrZeros(inputs: readonly TensorInfo[], dataset: Dataset): Samples {
  if (!inputs.some(isCoded)) return samplesFor(dataset, inputs)
  const zeros = zerosFor(inputs)
  return { count: 1, at: () => zeros }
}

function isCoded({ type, quantization }: TensorInfo): boolean {
  return (type === 'int8' || type === 'uint8') && quantization === undefined
}
