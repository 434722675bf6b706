/** The same table for the README. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const titles = head.map((title) => title.toLowerCase())
  return [line(titles), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
