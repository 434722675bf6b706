import { spawnSync } from 'node:child_process'

export function isHere(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0
}
