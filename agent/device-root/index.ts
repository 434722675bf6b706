export { type Controller, hierarchiesOf, limitsIn } from './control-groups.ts'
export { type DeviceRoot, deviceRoot } from './device-root.ts'
