export { requireMatches, SelectorError } from './matching.ts'
export {
  matches,
  parseSelector,
  printSelector,
  type Selector,
  selectorSchema,
  type Term,
  termSchema,
} from './selector.ts'
export { type Subject, valuesOf } from './subject.ts'
