export { reportFailure, usageErrorOf } from './failures.ts'
export { decimal, wholeNumber } from './numbers.ts'
export { goOnWithout, guardOutput } from './output.ts'
