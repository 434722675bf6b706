import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, UsageError } from '../../../shared/errors.ts'

/** What planner and broker of different processes share; readable by its owner only. Made where it is absent. */
export async function ensureSecret(
  data: string,
  given: string | undefined,
): Promise<{ readonly secret: string; readonly file: string }> {
  const file = given ?? join(data, 'broker-secret')
  try {
    await writeFile(file, `${randomBytes(24).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new UsageError(`cannot write the secret ${file}: ${messageOf(error)}`)
    }
  }
  return { secret: await readSecret(file), file }
}

/** @throws UsageError */
export async function readSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new UsageError(
      `cannot read the broker's secret: ${messageOf(error)}; copy the file that fitment broker names, and give it with --secret-file`,
    )
  }
}
