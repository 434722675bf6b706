export { reportFailure } from './failures.ts'
export { decimal, wholeNumber } from './numbers.ts'
export { goOnWithout, guardOutput } from './output.ts'
export { saidOnce } from './said-once.ts'
