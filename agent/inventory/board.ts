import type { HardwareReport } from '../../shared/messages/index.ts'
import type { DeviceRoot } from '../device-root/index.ts'

type Board = HardwareReport['board']

/** What firmware vendors leave in DMI fields they never filled. */
const PLACEHOLDERS =
  /^(default string|to be filled by o\.?e\.?m\.?|system product name|o\.?e\.?m\.?|none|n\/a)$/i

/** Device tree first: boards that have both (Jetson) say more there. */
export async function readBoard(root: DeviceRoot, cpuinfoModel: string | null): Promise<Board> {
  return (
    (await fromDeviceTree(root)) ??
    (await fromDmi(root)) ?? { model: cpuinfoModel, vendor: null, compatible: [], source: 'none' }
  )
}

async function fromDeviceTree(root: DeviceRoot): Promise<Board | null> {
  const [model] = await root.strings('/proc/device-tree/model')
  const compatible = (await root.strings('/proc/device-tree/compatible')).filter(isCompatible)
  if (model === undefined && compatible.length === 0) return null
  const vendor = compatible[0]?.includes(',') ? compatible[0].split(',')[0] : undefined
  return {
    model: model ?? null,
    vendor: vendor ?? null,
    compatible,
    source: 'device-tree',
  }
}

/** A string cut or cleaned could become another board's name, so a strange one is dropped whole. */
function isCompatible(name: string): boolean {
  return /^[\x21-\x7e]{1,128}$/.test(name)
}

async function fromDmi(root: DeviceRoot): Promise<Board | null> {
  const field = async (name: string) => {
    const text = await root.text(`/sys/class/dmi/id/${name}`)
    return text === null || PLACEHOLDERS.test(text) ? null : text
  }
  const model = (await field('product_name')) ?? (await field('board_name'))
  const vendor = (await field('sys_vendor')) ?? (await field('board_vendor'))
  if (model === null && vendor === null) return null
  return { model, vendor, compatible: [], source: 'dmi' }
}
