import type { Digest } from '../../shared/digest.ts'
import { digestOf } from '../../shared/digest.ts'
import type { Candidate } from './candidates.ts'
import type { Tuning } from './tuning.ts'

/** Grows when the same input would be quantized to another file: builds of older quantizers are not reused. */
export const QUANTIZER_VERSION = 5

/** Schemes whose file depends on nothing but the source. */
const UNCALIBRATED = new Set([
  'float32',
  'float16',
  'dynamic-w8',
  'dynamic-w8-rr',
  'weight-w8',
  'weight-w4-b32',
])

/** What a build depends on, in one digest: equal keys mean the file exists already. */
export function contentKey(
  candidate: Candidate,
  source: Digest,
  calibration: Digest | null,
  tuned?: { readonly tuning: Tuning; readonly test: Digest },
  /** With its version: another one makes other files. */
  compiler?: string,
): string {
  const { scheme, runtime } = candidate
  const used = UNCALIBRATED.has(scheme) ? null : calibration
  const parts = [QUANTIZER_VERSION, source, used, scheme, runtime, ...(compiler ? [compiler] : [])]
  if (tuned === undefined) return digestOf(JSON.stringify(parts))
  const { tuning, test } = tuned
  const held = 'maxDrop' in tuning ? test : null
  return digestOf(JSON.stringify([...parts, tuning, held]))
}
