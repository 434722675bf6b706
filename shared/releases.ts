/** Order of versions and releases: 2.9 before 2.12. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

export function isAtLeast(version: string, release: string): boolean {
  return compareVersions(version, release) >= 0
}
