import type { Dataset } from '../../../shared/dataset/index.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/findings.ts'
import { evaluate } from '../../../shared/measure/index.ts'
import { loadRuntime } from '../../../shared/runtime/index.ts'
import { targetOf } from '../../targets/index.ts'
import { quantize } from '../quantize.ts'
import type { QuantizeRequest } from '../request.ts'
import type { QuantizeResult } from '../result.ts'

/**
 * For processors that add products in 16 bits: weights scaled by pairs cannot saturate there, and those of 8 bits hardly do
 * where the layers that often would stay in float. Both are made, and the one whose outputs are nearer to the float model's
 * is the answer.
 */
export async function quantizeForNarrowSums(
  request: QuantizeRequest & { readonly calibration: Dataset },
): Promise<QuantizeResult> {
  const narrow = await quantize(request)
  const islands = await withIslands(request)
  if (islands === null) return narrow
  const { calibration, target, model } = request
  const runtime = await loadRuntime(targetOf(target).runsHereIn)
  const reference = await runtime.load(model)
  const sqnrOf = async ({ bytes }: QuantizeResult) => {
    const session = await runtime.load(bytes)
    try {
      return (await evaluate(session, calibration, { reference })).sqnrDb ?? 0
    } finally {
      await session.close()
    }
  }
  try {
    return better(
      { result: narrow, sqnrDb: await sqnrOf(narrow) },
      { result: islands, sqnrDb: await sqnrOf(islands) },
    )
  } finally {
    await reference.close()
  }
}

/** Null where nothing would be left on integers. */
async function withIslands(request: QuantizeRequest): Promise<QuantizeResult | null> {
  const { base, suffixes } = request.scheme
  const scheme = { base, suffixes: suffixes.filter((suffix) => suffix !== 'rr') }
  try {
    return await quantize({
      ...request,
      scheme,
      options: { ...request.options, spareSaturating: true },
    })
  } catch (error) {
    if (error instanceof AppError && error.code === 'nothing-to-quantize') return null
    throw error
  }
}

interface Judged {
  readonly result: QuantizeResult
  readonly sqnrDb: number
}

function better(narrow: Judged, islands: Judged): QuantizeResult {
  const { total, integer } = islands.result.operators
  const wide = `8-bit weights with ${integer} of ${total} operators on integers ${islands.sqnrDb.toFixed(1)} dB`
  const { result } = islands.sqnrDb > narrow.sqnrDb ? islands : narrow
  const finding: Finding = {
    code: 'narrow-sums',
    severity: 'info',
    message: `such processors add products in 16 bits: weights scaled for that keep ${narrow.sqnrDb.toFixed(1)} dB of the outputs on the calibration samples, ${wide}; the nearer form is written`,
  }
  return { ...result, findings: [...result.findings, finding] }
}
