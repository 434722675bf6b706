import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { parseJson } from '../shared/json.ts'
import { nameOf } from './modules.ts'

const run = promisify(execFile)

const lockSchema = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
})
const packedSchema = z.array(z.looseObject({ filename: z.string(), integrity: z.string() }))

/**
 * A package that npm did not install here, as it is for another processor: that very file which package-lock.json
 * names, into `<base>/<folder>`.
 * @returns false where it cannot be had, e.g. without a network
 */
export async function fetchModule(folder: string, base: string): Promise<boolean> {
  const { packages } = parseJson(lockSchema, await readFile('package-lock.json', 'utf8'))
  const { version, integrity } = packages[folder] ?? {}
  if (version === undefined || integrity === undefined) return false
  const work = await mkdtemp(join(tmpdir(), 'fitment-pack-'))
  try {
    const asked = ['pack', '--json', '--pack-destination', work, `${nameOf(folder)}@${version}`]
    const { stdout } = await run('npm', asked)
    const [packed] = parseJson(packedSchema, stdout)
    if (packed === undefined || packed.integrity !== integrity) return false
    await mkdir(join(base, folder), { recursive: true })
    const into = ['-C', join(base, folder), '--strip-components=1']
    await run('tar', ['-xzf', join(work, packed.filename), ...into])
    return true
  } catch {
    await rm(join(base, dirname(folder)), { recursive: true, force: true })
    return false
  } finally {
    await rm(work, { recursive: true })
  }
}
