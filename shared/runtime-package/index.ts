export { PackageError, type PackageErrorCode } from './errors.ts'
export {
  fitsLibc,
  libraryDigest,
  MANIFEST_FILE,
  MAX_UNPACKED_BYTES,
  type RuntimeManifest,
  runtimeManifestSchema,
  unpackedBytes,
} from './manifest.ts'
export {
  isWhole,
  manifestIn,
  readManifest,
  unpackPackage,
  verifyPackage,
} from './package-file.ts'
