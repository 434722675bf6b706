import type { Accelerator } from '../../shared/messages/index.ts'
import type { DeviceRoot } from '../device-root/index.ts'
import { ACCELERATOR_ROWS, type AcceleratorRow, type Evidence } from './accelerator-evidence.ts'

/** One accelerator per kind: its best row that holds, with the path that shows it. */
export async function readAccelerators(root: DeviceRoot): Promise<Accelerator[]> {
  const found = new Map<Accelerator['kind'], Accelerator>()
  for (const row of ACCELERATOR_ROWS) {
    if (found.has(row.kind)) continue
    const evidence = await evidenceOf(root, row)
    if (evidence !== null) found.set(row.kind, { kind: row.kind, evidence, name: row.name })
  }
  return [...found.values()]
}

async function evidenceOf(root: DeviceRoot, row: AcceleratorRow): Promise<string | null> {
  const shown: string[] = []
  for (const evidence of row.all) {
    const path = await monitor(root, evidence)
    if (path === null) return null
    shown.push(path)
  }
  for (const counter of row.none ?? []) {
    if ((await monitor(root, counter)) !== null) return null
  }
  return shown.join(', ')
}

async function monitor(root: DeviceRoot, evidence: Evidence): Promise<string | null> {
  for (const path of await root.glob(evidence.path)) {
    if (evidence.says === undefined) return path
    if (evidence.says.test((await root.text(path)) ?? '')) return path
  }
  return null
}
