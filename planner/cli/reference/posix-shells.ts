import type { CommandReference } from './tree.ts'

/** What bash and zsh read alike: one word, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Of a `case "$at $word" in`: from a command to those below it. */
export function waysDown(all: readonly CommandReference[]): string {
  return all
    .slice(1)
    .map(({ path }) => `      ${quoted(path)}) at="$at $word" ;;`)
    .join('\n')
}
