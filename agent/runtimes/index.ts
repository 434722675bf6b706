export { type InstalledPackage, installedPackages } from './installed-packages.ts'
