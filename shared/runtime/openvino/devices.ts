import { RuntimeError } from '../errors.ts'
import type { OpenvinoApi } from './openvino-api.ts'

/** Devices that stand for others: `HETERO:GPU,CPU`. */
const VIRTUAL = ['AUTO', 'MULTI', 'HETERO', 'BATCH']

/** Who names one wants it, and not the processor's answer for it. */
const ACCELERATORS = ['GPU', 'NPU']

export const DEFAULT_DEVICE = 'CPU'

/** The devices that a device string names, without their numbers: `AUTO:GPU.1,-CPU` names GPU. */
export function namedDevices(device: string): readonly string[] {
  const [first = '', list] = device.split(':', 2)
  const names = list === undefined ? [first] : list.split(',')
  return names
    .map((name) => name.trim().replace(/[.(].*$/, ''))
    .filter((name) => name !== '' && !name.startsWith('-') && !VIRTUAL.includes(name))
}

function acceleratorsIn(names: readonly string[]): readonly string[] {
  return names.filter((name) => ACCELERATORS.includes(name))
}

/**
 * @throws RuntimeError `not-accelerated` where a GPU or NPU is named and none of the named ones is there;
 * `library-unusable` where another device is not
 */
export function refuseAbsent(api: OpenvinoApi, device: string): void {
  const named = namedDevices(device)
  if (named.every((name) => name === DEFAULT_DEVICE)) return
  const there = api.devices()
  const has = (name: string) => there.flatMap(namedDevices).includes(name)
  const accelerators = acceleratorsIn(named)
  const unknown = named.find((name) => !accelerators.includes(name) && !has(name))
  if (unknown !== undefined)
    throw new RuntimeError(
      'library-unusable',
      `${api.library.facts.path} has no device "${unknown}": its devices are ${there.join(', ')}`,
      { device, devices: there },
    )
  if (accelerators.length === 0 || accelerators.some(has)) return
  throw new RuntimeError(
    'not-accelerated',
    `OpenVINO finds no ${accelerators.join(' and no ')} here, only ${there.join(', ')}${why(api, accelerators)}`,
    { device, devices: there },
  )
}

/** A plugin whose driver is missing says so when it is asked anything. */
function why(api: OpenvinoApi, accelerators: readonly string[]): string {
  const reasons = accelerators.flatMap(
    (name) =>
      api.complaint((out) => api.call.property(api.core, name, 'AVAILABLE_DEVICES', out)) ?? [],
  )
  return reasons.length === 0 ? '' : `: ${reasons.join('; ')}`
}

/** @throws RuntimeError `not-accelerated` where a GPU or NPU is named and the model runs on none */
export function refuseFallback(device: string, executing: readonly string[]): void {
  const accelerators = acceleratorsIn(namedDevices(device))
  if (accelerators.length === 0) return
  const used = acceleratorsIn(executing.flatMap(namedDevices))
  if (used.some((name) => accelerators.includes(name))) return
  throw new RuntimeError(
    'not-accelerated',
    `OpenVINO was asked for ${device} and runs this model on ${executing.join(', ') || 'nothing'}`,
    { device, executing },
  )
}
