export interface PageProps {
  /** Names that are parts of the link. */
  readonly named: Readonly<Record<string, string>>
}
