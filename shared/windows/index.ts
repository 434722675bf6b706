export { untilOpen } from './opening.ts'
export {
  DAYS,
  type Day,
  parseDays,
  printWindow,
  requireZone,
  type Window,
  windowSchema,
} from './window.ts'
