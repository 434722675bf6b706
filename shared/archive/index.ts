export { ArchiveError } from './errors.ts'
export { writeZip } from './write-zip.ts'
export { listZip, readPieces, readZipEntry, type ZipEntry } from './zip.ts'
