import { newId } from '../../shared/ids.ts'
import type { OrderOf } from '../../shared/messages/index.ts'
import { goldenData } from './golden.ts'
import type { PlannerDriver } from './planner-driver.ts'

export async function probeOrder(
  driver: PlannerDriver,
  bytes: Uint8Array,
  rest: Partial<OrderOf<'probe'>> = {},
): Promise<OrderOf<'probe'>> {
  const artifact = driver.offer(bytes)
  return {
    v: 1,
    id: newId(),
    kind: 'probe',
    model: 'motor',
    variant: artifact.digest,
    artifact,
    runtime: 'litert',
    scheme: 'float32',
    data: driver.offer(await goldenData()),
    baseline: null,
    threads: 1,
    measureMs: 200,
    timeoutMs: 30_000,
    ...rest,
  }
}
