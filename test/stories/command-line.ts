import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const FITMENT: string = fileURLToPath(new URL('../../planner/cli/main.js', import.meta.url))

export interface Told {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** One command of `fitment`, in a process of its own. */
export async function fitment(...argv: string[]): Promise<Told> {
  const child = spawn(process.execPath, [FITMENT, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  const told = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    told.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    told.err += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...told }
}
