export {
  freeBytes,
  makeFolder,
  moveDurably,
  removeDurably,
  syncFile,
  syncFolder,
} from './folder.ts'
export { readIfPresent } from './read-file.ts'
export { type DurableWrite, draftOf, settle, writeDraft, writeDurably } from './write-file.ts'
