export { logDestination } from './destination.ts'
