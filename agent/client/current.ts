import { readdir, readFile, readlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { errnoOf, isMissing } from '../../shared/errors.ts'
import { parseJson } from '../../shared/json.ts'
import { modelFileAmong, type Slot, slotSchema } from '../artifacts/slot.ts'

/** The variant a model's application shall run now. */
export interface CurrentModel {
  /** Absolute path of the model file. It stays readable while it is open, whatever the agent does. */
  readonly file: string
  readonly slot: Slot
}

/**
 * Reads the link `current`; works without a running agent.
 * @returns `undefined` where nothing is installed for this model
 * @throws Error when `slot.json` is spoiled
 */
export async function readCurrent(
  stateDir: string,
  model: string,
): Promise<CurrentModel | undefined> {
  const root = resolve(stateDir, 'slots', model)
  try {
    // Resolved once: the link may move between two reads, a slot does not change.
    const directory = join(root, await currentOf(root))
    const slot = parseJson(slotSchema, await readFile(join(directory, 'slot.json'), 'utf8'))
    const file = modelFileAmong(await readdir(directory))
    return file === undefined ? undefined : { file: join(directory, file), slot }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** A copy of the state directory may have made a folder of the link; the agent makes a link of it again. */
async function currentOf(root: string): Promise<string> {
  try {
    return await readlink(join(root, 'current'))
  } catch (error) {
    if (errnoOf(error) === 'EINVAL') return 'current'
    throw error
  }
}
