export { type InventoryOptions, readReport } from './read-report.ts'
