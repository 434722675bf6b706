import type { HardwareReport } from '../../shared/messages/index.ts'
import type { DeviceRoot } from '../device-root/index.ts'
import { numberOf } from './numbers.ts'

/** The first system battery; those of mice and keyboards (`scope` Device) do not feed the device. */
export async function readBattery(root: DeviceRoot): Promise<HardwareReport['battery']> {
  for (const supply of await root.glob('/sys/class/power_supply/*')) {
    if ((await root.text(`${supply}/type`)) !== 'Battery') continue
    if ((await root.text(`${supply}/scope`)) === 'Device') continue
    const percent = numberOf(await root.text(`${supply}/capacity`))
    if (percent === null || percent < 0 || percent > 100) continue
    const status = await root.text(`${supply}/status`)
    return { percent, charging: status === 'Charging' || status === 'Full' }
  }
  return null
}
