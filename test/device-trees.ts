import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Captured device trees: those the demo ships, and those only tests need. */
const FOLDERS = ['planner/demo/devices', 'test/fixtures/devices']

/** Name of the board → root of its tree. */
export function deviceTrees(): ReadonlyMap<string, string> {
  const trees = FOLDERS.flatMap((folder) =>
    readdirSync(join(process.cwd(), folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry): [string, string] => [entry.name, join(process.cwd(), folder, entry.name)]),
  )
  return new Map(trees)
}

export function deviceTree(name: string): string {
  const root = deviceTrees().get(name)
  if (root === undefined) throw new Error(`no captured device tree is called ${name}`)
  return root
}
