import { compress } from '../compression/compress.ts'
import { measure } from '../measure.ts'
import { openModel } from '../open.ts'
import { planScheme } from '../plan/plan.ts'
import { meansOf } from '../recovery/recover.ts'
import { planRequestOf } from './plan-first.ts'
import type { SourceCompressed, Started } from './state.ts'

/** Prunes and clusters the source where asked to, for the forms its weights will take. */
export async function compressSource(state: Started): Promise<SourceCompressed> {
  const { request, forms, pool } = state
  const { scheme, options = {} } = request
  if (options.compression === undefined) return { ...state, compressed: null, source: request }
  const sources = options.sources ?? 'dequantize'
  const opened = await openModel({ ...request, options: { ...options, sources } })
  // Biases need the means of activations, whatever the scheme.
  const measured = await measure(opened, pool, request, true)
  const plan = planScheme(scheme, planRequestOf({ ...state, opened, measured }))
  const means = meansOf(measured.statistics)
  const compressed = await compress(opened, plan, forms.weightBits, options.compression, means)
  return { ...state, compressed, source: { ...request, model: compressed.bytes } }
}
