export { RuntimeFileError, type RuntimeFileErrorCode } from './errors.ts'
export { PLUGINS, type Plugin } from './layouts.ts'
export { type MadePackage, makePackage, type PackageRequest } from './make-package.ts'
