import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { invariant, reasonOf } from '../../shared/errors.ts'
import { readJson } from '../../shared/json.ts'
import { ProfileError } from './errors.ts'
import { type Profile, profileSchema } from './profile.ts'

const SCHEMA_FILE = 'profile.schema.json'

/** The folder that ships with the package, found upwards from this file: sources, `dist/` and test builds differ in depth. */
export function bundledProfilesDir(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'firmware-profiles')
    if (existsSync(join(candidate, SCHEMA_FILE))) return candidate
    invariant(dirname(folder) !== folder, 'the package ships firmware-profiles/')
  }
}

/**
 * The profiles of a folder, best first: by priority, then by id.
 * @throws ProfileError naming the file and the field.
 */
export async function loadProfiles(dir: string = bundledProfilesDir()): Promise<Profile[]> {
  const files = (await jsonFiles(dir)).filter((file) => file !== SCHEMA_FILE)
  const profiles = await Promise.all(files.map((file) => loadProfile(join(dir, file))))
  return bestFirst(profiles)
}

/** The bundled profiles and an operator's own, which replace bundled ones of the same id. @throws ProfileError */
export async function loadProfilesWith(operatorDir: string | undefined): Promise<Profile[]> {
  const bundled = await loadProfiles()
  if (operatorDir === undefined) return bundled
  const own = await loadProfiles(operatorDir)
  const replaced = new Set(own.map((profile) => profile.id))
  return bestFirst([...own, ...bundled.filter((profile) => !replaced.has(profile.id))])
}

function bestFirst(profiles: readonly Profile[]): Profile[] {
  const byId = (a: Profile, b: Profile) => (a.id < b.id ? -1 : 1)
  return [...profiles].sort((a, b) => b.priority - a.priority || byId(a, b))
}

async function jsonFiles(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).filter((file) => file.endsWith('.json')).sort()
  } catch (error) {
    throw new ProfileError(
      `cannot read the folder of firmware profiles ${dir}: ${reasonOf(error)}`,
      { dir },
      { cause: error },
    )
  }
}

async function loadProfile(file: string): Promise<Profile> {
  const parsed = profileSchema.safeParse(await json(file))
  if (!parsed.success) {
    const problems = parsed.error.issues.map((i) => `${i.path.join('.') || 'file'}: ${i.message}`)
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more problems)` : ''
    throw new ProfileError(`firmware profile ${file}: ${problems[0]}${more}`, { file, problems })
  }
  const profile = parsed.data
  if (`${profile.id}.json` !== basename(file)) {
    const wanted = `${profile.id}.json`
    throw new ProfileError(
      `firmware profile ${file}: id: rename the file to ${wanted}, or the id`,
      {
        file,
        id: profile.id,
      },
    )
  }
  return profile
}

async function json(file: string): Promise<unknown> {
  try {
    return readJson(await readFile(file, 'utf8'))
  } catch (error) {
    throw new ProfileError(
      `firmware profile ${file}: ${reasonOf(error)}`,
      { file },
      { cause: error },
    )
  }
}
