import type { HardwareReport } from '../../shared/messages/index.ts'
import type { DeviceRoot } from '../device-root/index.ts'
import { numberOf } from './numbers.ts'

/** Sensors that are off say −274 °C or huge numbers. */
const COLDEST = -60
const HOTTEST = 200

export async function readThermalZones(root: DeviceRoot): Promise<HardwareReport['thermalZones']> {
  const zones: HardwareReport['thermalZones'] = []
  for (const folder of await root.glob('/sys/class/thermal/thermal_zone*')) {
    const millidegrees = numberOf(await root.text(`${folder}/temp`))
    if (millidegrees === null) continue
    const celsius = millidegrees / 1000
    if (celsius < COLDEST || celsius > HOTTEST) continue
    zones.push({ type: (await root.text(`${folder}/type`)) ?? 'unknown', celsius })
  }
  return zones
}
