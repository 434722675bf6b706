import type { DeviceId } from '../../../shared/ids.ts'
import {
  figuresOf,
  type HealthVerdict,
  judgeHealth,
  mergeObservations,
} from '../../health/index.ts'
import { health, type Rollout, type RolloutDevice, variants } from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'
import { yardstickOf } from './health-windows.ts'

/** How the devices of a rollout do with what it gave them; null where nobody asked to watch. */
export async function watchRollout(
  context: ConductorContext,
  rollout: Rollout,
  members: readonly RolloutDevice[],
  inService: ReadonlySet<DeviceId>,
): Promise<HealthVerdict | null> {
  const { health: gate, gate: counts } = rollout.options
  if (!gate) return null
  const active = members.filter(({ state, forgiven }) => state === 'active' && !forgiven)
  if (active.length === 0) return null
  const since = Math.max(0, ...active.map(({ updatedAt }) => Date.parse(updatedAt)))
  const watched = []
  for (const member of active) watched.push(await windowOf(context, rollout, member, inService))
  return judgeHealth(gate, {
    members: watched.map(({ device, window }) => ({ device, figures: window?.figures ?? null })),
    together: together(watched.flatMap(({ window }) => window ?? [])),
    watchedMs: context.now().getTime() - since,
    failureThreshold: counts.failureThreshold,
  })
}

async function windowOf(
  context: ConductorContext,
  { modelName: model, class: ofClass }: Rollout,
  { device: id, variant: key, updatedAt }: RolloutDevice,
  inService: ReadonlySet<DeviceId>,
) {
  const { db } = context
  const variant = key === null ? undefined : await variants.findVariant(db, key)
  const [latest] = await health.latestOf(db, model, id)
  // Windows of before, and of what the device ran before, say nothing of this rollout.
  const isOfIt = latest?.seen.variant === variant?.digest && (latest?.receivedAt ?? '') >= updatedAt
  if (!inService.has(id) || !latest || !isOfIt) return { device: id, window: null }
  const device = { id, class: ofClass }
  const yardstick = await yardstickOf(context, db, device, { model, ...latest.seen })
  const { reference, probeMs } = yardstick
  const figures = figuresOf(latest.seen, reference, probeMs)
  return { device: id, window: { seen: latest.seen, figures, ...yardstick } }
}

type Window = NonNullable<Awaited<ReturnType<typeof windowOf>>['window']>

/** Of each variant its devices' windows as one. Times are held against one probe's: of one class they are alike. */
function together(windows: readonly Window[]) {
  const byVariant = new Map<string, Window>()
  for (const window of windows) {
    const before = byVariant.get(window.seen.variant)
    const seen = before ? mergeObservations(before.seen, window.seen) : window.seen
    byVariant.set(window.seen.variant, { ...window, seen })
  }
  return [...byVariant.values()].map(({ seen, reference, probeMs }) =>
    figuresOf(seen, reference, probeMs),
  )
}
