import { parseScheme } from '../../../shared/schemes.ts'
import { medianOf, sorted } from '../../../shared/statistics/index.ts'
import { profileOf } from '../../classes/index.ts'
import {
  type CostFacts,
  fitCosts,
  isUsable,
  type KnownCost,
  type Prior,
} from '../../probing/index.ts'
import {
  type Model,
  models,
  type Probe,
  probes as probeRows,
  type Variant,
  variants,
} from '../../storage/index.ts'
import type { ConductorContext, Costs } from '../context/context.ts'

/** Of the newest; older ones say no more. */
const MOST_PROBES = 1_000
/** What was learnt holds so long, ms: nothing hangs on the last measurement. */
const KEPT_MS = 300_000

/** What other models measured, learnt from now and then. */
export class CostBook implements Costs {
  readonly #learnt = new Map<string, { readonly at: number; readonly costs: Prior['costs'] }>()

  /** For the candidates of one model in one class. */
  async prior(
    context: ConductorContext,
    model: Model,
    classId: string,
    candidates: readonly { readonly variant: Variant | undefined }[],
  ): Promise<Prior> {
    const facts = candidates.flatMap(({ variant }) =>
      variant ? [[variant.key, factsOf(context, model, classId, variant)] as const] : [],
    )
    return { costs: await this.#costs(context, model), facts: new Map(facts) }
  }

  async #costs(context: ConductorContext, { name }: Model): Promise<Prior['costs']> {
    const now = context.now().getTime()
    const known = this.#learnt.get(name)
    if (known && now - known.at < KEPT_MS) return known.costs
    const costs = fitCosts(await history(context, name))
    this.#learnt.set(name, { at: now, costs })
    return costs
  }
}

/** Undisturbed measurements alone: the median over devices of each one's newest. */
async function history(context: ConductorContext, name: string): Promise<readonly KnownCost[]> {
  const { db } = context
  const all = (await probeRows.measuredOfOthers(db, name, MOST_PROBES)).filter(
    (probe) => probe.match === null && isUsable(probe, false),
  )
  const times = new Map<string, { probe: Probe; byDevice: Map<string, number> }>()
  for (const probe of all) {
    const key = `${probe.model} ${probe.class} ${probe.variant}`
    const row = times.get(key) ?? { probe, byDevice: new Map<string, number>() }
    const { device, record } = probe
    if (record && !row.byDevice.has(device)) row.byDevice.set(device, record.latency.p50Ms)
    times.set(key, row)
  }
  for (const probe of all) {
    const { rival, record } = probe
    const key = `${probe.model} ${probe.class} ${rival}`
    // A yardstick without a measurement of its own is known by those that were measured in turns with it.
    if (rival === null || !record?.ratioToBaseline || times.has(key)) continue
    const ms = record.latency.p50Ms / record.ratioToBaseline.p50
    times.set(key, {
      probe: { ...probe, variant: rival },
      byDevice: new Map([[probe.device, ms]]),
    })
  }
  const known: KnownCost[] = []
  for (const { probe, byDevice } of times.values()) {
    const model = await models.modelById(db, probe.model)
    const variant = await variants.findVariant(db, probe.variant)
    if (!model || !variant || byDevice.size === 0) continue
    known.push({
      ...factsOf(context, model, probe.class, variant),
      group: `${probe.model} ${probe.class}`,
      ms: medianOf(sorted([...byDevice.values()])),
    })
  }
  return known
}

function factsOf(
  { profiles }: ConductorContext,
  { facts }: Model,
  classId: string,
  { scheme, runtime, bytes }: Variant,
): CostFacts {
  return {
    scheme: parseScheme(scheme).base,
    target: runtime,
    macs: facts.macs ?? facts.floatElements,
    operators: facts.operators.reduce((sum, { count }) => sum + count, 0),
    bytes: bytes ?? facts.bytes,
    isa: profileOf(profiles, classId)?.numerics.onnxForm ?? 'unknown',
  }
}
