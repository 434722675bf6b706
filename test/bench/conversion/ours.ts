import { convertProven } from '../../../planner/conversion/index.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Network } from './networks.ts'

/** What became of a network: a file that was proven, or why there is none. */
export type OurResult =
  | {
      readonly tflite: Uint8Array
      /** Largest difference, as a share of its output's range. */
      readonly error: number
      readonly operators: number
      readonly transposes: number
      /** Of converting and proving. */
      readonly ms: number
    }
  | { readonly fails: string }

export async function convertOurselves(network: Network, bytes: Uint8Array): Promise<OurResult> {
  const started = performance.now()
  try {
    const converted = await convertProven({
      bytes,
      from: 'onnx',
      to: 'tflite',
      fileName: network.name,
      tolerance: 1e-4,
      keepClosed: true,
      ...(network.shapes && { shapes: new Map(Object.entries(network.shapes)) }),
    })
    const { operators = 0, transposes = 0 } = converted.tflite ?? {}
    return {
      tflite: converted.bytes,
      error: Math.max(...converted.proof.outputs.map(({ error }) => error)),
      operators,
      transposes,
      ms: performance.now() - started,
    }
  } catch (error) {
    if (error instanceof AppError) return { fails: error.message }
    throw error
  }
}
