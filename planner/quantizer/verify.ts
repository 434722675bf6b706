import { type Dataset, samplesFor } from '../../shared/dataset/index.ts'
import { messageOf } from '../../shared/errors.ts'
import { loadRuntime, type RuntimeName, type Session } from '../../shared/runtime/index.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../shared/tensors.ts'
import { QuantizerError } from './errors.ts'

/**
 * Loads and runs a file we wrote, in the runtime it is for: only then may it be called a variant.
 * @throws QuantizerError `verification-failed`
 */
export async function verify(
  bytes: Uint8Array,
  runtime: RuntimeName,
  dataset: Dataset | undefined,
): Promise<void> {
  try {
    const session = await (await loadRuntime(runtime)).load(bytes)
    try {
      await session.run(inputsFor(session, dataset))
    } finally {
      await session.close()
    }
  } catch (cause) {
    throw new QuantizerError(
      'verification-failed',
      `the quantized model does not run in ${runtime}: ${messageOf(cause)}`,
      { runtime },
      { cause },
    )
  }
}

function inputsFor(session: Session, dataset: Dataset | undefined): Record<string, Tensor> {
  if (dataset !== undefined) return samplesFor(dataset, session.inputs).at(0)
  return Object.fromEntries(
    session.inputs.map(({ name, type, shape }) => {
      const closed = shape.map((dim) => (dim < 0 ? 1 : dim))
      return [name, { type, shape: closed, data: new ARRAY_OF[type](sizeOf(closed)) }]
    }),
  )
}
