import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TriedSetting } from '../measure/index.ts'
import type { CoreGroup } from './core-groups.ts'

/**
 * Threads and cores worth trying, the fewest first.
 * @param most threads that are allowed
 * @param mayKeep whether processes can be kept on cores here
 */
export function settingsToTry(
  groups: readonly CoreGroup[],
  most: number,
  mayKeep: boolean,
): readonly TriedSetting[] {
  const all = groups.reduce((sum, { cores }) => sum + cores.length, 0) || most
  const free = countsUpTo(Math.min(most, all)).map((threads) => ({ threads, cores: null }))
  const [large, ...smaller] = groups
  if (!large || smaller.length === 0 || !mayKeep) return free
  const kept = countsUpTo(Math.min(most, large.cores.length)).map((threads) => ({
    threads,
    cores: large.cores,
  }))
  return [...free, ...kept].sort((a, b) => a.threads - b.threads)
}

/** 1, 2, 3, 4, then twice as many, and the most itself. */
function countsUpTo(most: number): readonly number[] {
  const counts = new Set([1, 2, 3, 4].filter((n) => n <= most))
  for (let n = 8; n < most; n *= 2) counts.add(n)
  counts.add(most)
  return [...counts]
}

/**
 * How a process is started that keeps to these cores: by `taskset`, as its own arguments. Undefined where there is none.
 * @param cores null: anywhere
 */
export function keptOn(
  cores: readonly number[] | null,
): { readonly execPath: string; readonly execArgv: string[] } | undefined {
  if (cores === null) return { execPath: process.execPath, execArgv: [] }
  const taskset = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'taskset'))
    .find(isExecutable)
  if (taskset === undefined) return undefined
  return { execPath: taskset, execArgv: ['-c', cores.join(','), process.execPath] }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
