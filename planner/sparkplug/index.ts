export type { SparkplugSettings } from './session.ts'
export { sparkplugOf, startSparkplug } from './start-sparkplug.ts'
