export { type DeviceRoot, deviceRoot } from './device-root.ts'
export { type InventoryOptions, readReport } from './read-report.ts'
