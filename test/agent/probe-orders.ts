import { newId } from '../../shared/ids.ts'
import type { SaidProbe, VouchedProbe } from '../../shared/messages/index.ts'
import { goldenData } from './golden.ts'
import { type ProbeChanges, vouchedProbe } from './orders.ts'
import type { PlannerDriver } from './planner-driver.ts'

/** Made once: it takes a runtime. */
let golden: Promise<Buffer> | undefined

/** Asks to measure these bytes, signed as a planner signs it. */
export async function probeOrder(
  driver: PlannerDriver,
  bytes: Uint8Array,
  rest: Partial<SaidProbe> = {},
  changes: ProbeChanges = {},
): Promise<VouchedProbe> {
  const artifact = driver.offer(bytes)
  golden ??= goldenData()
  const order: SaidProbe = {
    v: 1,
    id: newId(),
    kind: 'probe',
    model: 'motor',
    variant: artifact.digest,
    artifact,
    runtime: 'litert',
    scheme: 'float32',
    data: driver.offer(await golden),
    baseline: null,
    threads: 1,
    measureMs: 200,
    timeoutMs: 30_000,
    ...rest,
  }
  return vouchedProbe(order, changes)
}
