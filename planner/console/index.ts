export { type ConsoleLink, consoleLink, linkWith } from './link.ts'
export { consolePages } from './serve-files.ts'
