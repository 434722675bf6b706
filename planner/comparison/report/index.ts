export { renderReport } from './page.ts'
