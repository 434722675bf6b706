export { chooseProbers, fits, type Prober, type ProberChoice } from './choose-probers.ts'
export { dropOnHost, type HostVerdict, judgeOnHost } from './host-verdict.ts'
export { measuredRow, type RowInput } from './measured-row.ts'
export { type ClassSummary, type DeviceRecord, summarise } from './summarise.ts'
