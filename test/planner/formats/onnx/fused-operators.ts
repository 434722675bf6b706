import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type FusedOperators, fusedIn } from '../../../../planner/formats/onnx/fused.ts'
import {
  type OnnxruntimeLoadOptions,
  onnxruntime,
} from '../../../../shared/runtime/onnxruntime/onnxruntime.ts'

/** What the runtime makes of a file. */
export async function fusedOperators(t: Test, bytes: Uint8Array): Promise<FusedOperators> {
  const optimizedModelPath = join(t.testdir(), 'optimized.onnx')
  const options: OnnxruntimeLoadOptions = { optimizedModelPath }
  const session = await onnxruntime.load(bytes, options)
  await session.close()
  return fusedIn(await readFile(optimizedModelPath))
}
