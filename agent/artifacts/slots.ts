import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Digest, digestOfFile } from '../../shared/digest.ts'
import { digestSchema } from '../../shared/digest-schema.ts'
import { moveDurably, syncFile, syncFolder, writeDurably } from '../../shared/durable/index.ts'
import { isMissing } from '../../shared/errors.ts'
import { modelNameSchema } from '../../shared/ids.ts'
import { parseJson } from '../../shared/json.ts'
import {
  isWhole,
  MANIFEST_FILE,
  manifestIn,
  PackageError,
  type RuntimeManifest,
  unpackPackage,
} from '../../shared/runtime-package/index.ts'
import { treeBytes } from './disk-quota.ts'
import { ArtifactError, storageError } from './errors.ts'
import { linkOrCopy } from './file-systems.ts'
import {
  INSTALLED_MODEL_FILE,
  type InstalledModel,
  installedModelSchema,
  SKETCH_FILE,
} from './installed-model.ts'
import { copiedLink, pointLink, readLink, removeLink } from './links.ts'
import { modelFileAmong, modelFileOf, type NewSlot, slotSchema } from './slot.ts'

/** What the two links of a model name; `null` where there is none. */
export interface SlotLinks {
  readonly current: Digest | null
  readonly previous: Digest | null
}

export const NO_LINKS: SlotLinks = { current: null, previous: null }

/**
 * Installed variants: `<root>/<model>/<variant>/model.*`, immutable once there, and the links `current`
 * and `previous`; packages of runtimes likewise, `<root>/runtime.<name>/<package>/runtime.json` and what it names. The disk is the truth: applications and a lost journal both start from it.
 */
export class Slots {
  readonly #root: string
  readonly #reach: (failPoint: string) => void

  /** @param reach called at places where a test may cut the power */
  constructor(root: string, reach: (failPoint: string) => void = () => {}) {
    this.#root = root
    this.#reach = reach
  }

  async models(): Promise<string[]> {
    const names = await entriesOf(this.#root)
    return names.filter((name) => modelNameSchema.safeParse(name).success)
  }

  async variants(model: string): Promise<Digest[]> {
    const names = await entriesOf(join(this.#root, model))
    return names.filter((name) => digestSchema.safeParse(name).success)
  }

  async links(model: string): Promise<SlotLinks> {
    const [current, previous] = await Promise.all([
      this.#readLink(model, 'current'),
      this.#readLink(model, 'previous'),
    ])
    return { current, previous }
  }

  /** The variant's file, unless the slot lacks it. */
  file(model: string, variant: Digest): Promise<string | undefined> {
    return fileIn(this.directory(model, variant))
  }

  /** The files of all variants that are installed. */
  async files(): Promise<string[]> {
    const files: (string | undefined)[] = []
    for (const model of await this.models()) {
      for (const variant of await this.variants(model)) files.push(await this.file(model, variant))
    }
    return files.filter((file) => file !== undefined)
  }

  /** An installed file with these bytes, whichever model it belongs to. */
  async locate(variant: Digest): Promise<string | undefined> {
    for (const model of await this.models()) {
      const file = await this.file(model, variant)
      if (file) return file
    }
    return undefined
  }

  /** Reads the whole file: a variant is good when its bytes have the digest that names it. */
  isGood(model: string, variant: Digest): Promise<boolean> {
    return holds(this.directory(model, variant), variant)
  }

  /**
   * A second copy of what runs, with blocks of the disk of its own: for a device whose other variant was
   * taken back, so that it has nothing to fall back to.
   */
  async keepSpare(model: string, variant: Digest): Promise<void> {
    const directory = this.directory(model, variant)
    const spare = spareOf(directory)
    const draft = `${spare}.new`
    try {
      if (await holds(spare, variant)) return
      await rm(draft, { recursive: true, force: true })
      await mkdir(draft, { recursive: true })
      for (const name of await entriesOf(directory)) {
        await copyFile(join(directory, name), join(draft, name))
        await syncFile(join(draft, name))
      }
      await syncFolder(draft)
      await rm(spare, { recursive: true, force: true })
      await moveDurably(draft, spare)
    } catch (error) {
      throw storageError(error, `cannot copy ${model} ${variant.slice(0, 12)}`)
    }
  }

  /**
   * Links that a copy of the state directory turned into folders or files are links again, and a variant that
   * was only in such a folder is in its slot. True: at least one was.
   */
  async healLinks(model: string): Promise<boolean> {
    const healed = await Promise.all([
      this.#healLink(model, 'previous'),
      this.#healLink(model, 'current'),
    ])
    return healed.includes(true)
  }

  async #healLink(model: string, name: keyof SlotLinks): Promise<boolean> {
    const path = join(this.#root, model, name)
    try {
      const copied = await copiedLink(path)
      if (copied === undefined) return false
      const said = copied.kind === 'text' ? copied.text : await variantIn(path)
      const variant = digestSchema.safeParse(said).data
      if (variant !== undefined && copied.kind === 'folder') await this.#adopt(model, variant, path)
      if (variant !== undefined) await this.#point(model, name, variant)
      return variant !== undefined
    } catch (error) {
      throw storageError(error, `cannot mend ${path}`)
    }
  }

  async #adopt(model: string, variant: Digest, folder: string): Promise<void> {
    if (await this.isGood(model, variant)) return
    const directory = this.directory(model, variant)
    await rm(directory, { recursive: true, force: true })
    await moveDurably(folder, directory)
  }

  /** Puts the spare copy in the place of a slot that was spoiled. False: there is no good one. */
  async mend(model: string, variant: Digest): Promise<boolean> {
    const directory = this.directory(model, variant)
    if (!(await holds(spareOf(directory), variant))) return false
    await rm(directory, { recursive: true, force: true })
    await moveDurably(spareOf(directory), directory)
    return true
  }

  /** Links a verified file into its slot, or copies it where it cannot be linked; the file stays where it was. @throws ArtifactError */
  async install(
    slot: NewSlot,
    installed: InstalledModel,
    file: string,
    sketch: string | null = null,
  ): Promise<void> {
    await this.#fill(slot.model, slot.variant, async (draft) => {
      if (sketch !== null) await writeDurably(join(draft, SKETCH_FILE), await readFile(sketch))
      await writeDurably(join(draft, 'slot.json'), printed(slot))
      await writeDurably(join(draft, INSTALLED_MODEL_FILE), printed(installed))
      await linkOrCopy(file, join(draft, modelFileOf(slot.runtime)))
    })
  }

  /** The same file, to be run otherwise: what is said of it is replaced, each file at once. @throws ArtifactError */
  async describe(
    slot: NewSlot,
    installed: InstalledModel,
    sketch: string | null = null,
  ): Promise<void> {
    const directory = this.directory(slot.model, slot.variant)
    try {
      if (sketch !== null) await writeDurably(join(directory, SKETCH_FILE), await readFile(sketch))
      await writeDurably(join(directory, INSTALLED_MODEL_FILE), printed(installed))
      await writeDurably(join(directory, 'slot.json'), printed(slot))
    } catch (error) {
      throw storageError(error, `cannot describe ${slot.model} ${slot.variant.slice(0, 12)}`)
    }
  }

  /** What applications are told of an installed variant; undefined where they are told nothing, or it is spoiled. */
  async installedModel(model: string, variant: Digest): Promise<InstalledModel | undefined> {
    try {
      const file = join(this.directory(model, variant), INSTALLED_MODEL_FILE)
      return parseJson(installedModelSchema, await readFile(file, 'utf8'))
    } catch {
      return undefined
    }
  }

  /** Where the bins of a variant's observations are, if it came with them. */
  sketchPath(model: string, variant: Digest): string {
    return join(this.directory(model, variant), SKETCH_FILE)
  }

  /** Unpacks a package into its slot. @throws ArtifactError, PackageError */
  async unpack(name: string, digest: Digest, archive: string): Promise<void> {
    await this.#fill(name, digest, async (draft) => {
      await unpackPackage(archive, draft, () => this.#reach('slot.unpacked'))
    })
  }

  /** The manifest of an installed package. */
  async package(name: string, digest: Digest): Promise<RuntimeManifest | undefined> {
    return await manifestIn(this.directory(name, digest))
  }

  /** Whole or absent: it has its name only once all of it is on disk. */
  async #fill(
    model: string,
    variant: Digest,
    fill: (draft: string) => Promise<void>,
  ): Promise<void> {
    const directory = this.directory(model, variant)
    const draft = `${directory}.new`
    try {
      await rm(draft, { recursive: true, force: true })
      await mkdir(draft, { recursive: true })
      await fill(draft)
      await syncFolder(draft)
      this.#reach('slot.drafted')
      await rm(directory, { recursive: true, force: true })
      await moveDurably(draft, directory)
      this.#reach('slot.placed')
      await syncFolder(this.#root)
    } catch (error) {
      if (error instanceof PackageError) throw error
      throw storageError(error, `cannot install ${model} ${variant.slice(0, 12)}`)
    }
  }

  /** @throws ArtifactError `slot-missing`: the link is never pointed at nothing */
  async switchTo(model: string, variant: Digest): Promise<void> {
    if ((await this.file(model, variant)) === undefined) {
      throw new ArtifactError(
        'slot-missing',
        `the slot ${variant.slice(0, 12)} of ${model} is gone; the planner will send it again`,
        { model, variant },
      )
    }
    const { current } = await this.links(model)
    if (current === variant) return
    if (current !== null) await this.#point(model, 'previous', current)
    await this.#point(model, 'current', variant)
  }

  /** Puts the links back as they were. `current` first: it is the one that is read. */
  async restore(model: string, links: SlotLinks): Promise<void> {
    await this.#point(model, 'current', links.current)
    await this.#point(model, 'previous', links.previous)
  }

  async remove(model: string, variant: Digest): Promise<void> {
    const { current } = await this.links(model)
    if (current === variant) return
    await rm(this.directory(model, variant), { recursive: true, force: true })
  }

  /** Nobody goes back to this variant any more. */
  async forgetPrevious(model: string, variant: Digest): Promise<void> {
    if ((await this.links(model)).previous === variant) await this.#point(model, 'previous', null)
  }

  /** Removes every slot that no link names, spares of others than the current, and drafts that a power cut left. */
  async collect(model: string): Promise<void> {
    const { current, previous } = await this.links(model)
    const kept = new Set([current, previous, current && spareOf(current)])
    for (const name of await entriesOf(join(this.#root, model))) {
      if (isSlotName(name) && !kept.has(name)) await this.#removeEntry(model, name)
    }
  }

  /** Bytes of what is kept only for going back: the last thing given up for room. */
  async previousBytes(): Promise<number> {
    let sum = 0
    for (const [model, name] of await this.#spareEntries()) {
      sum += await treeBytes(join(this.#root, model, name))
    }
    return sum
  }

  async dropPrevious(): Promise<void> {
    for (const [model, name] of await this.#spareEntries()) {
      await this.forgetPrevious(model, name)
      await this.#removeEntry(model, name)
    }
  }

  /** Slots of variants to go back to, and spare copies. */
  async #spareEntries(): Promise<[string, string][]> {
    const found: [string, string][] = []
    for (const model of await this.models()) {
      const { current, previous } = await this.links(model)
      if (previous !== null && previous !== current) found.push([model, previous])
      const names = await entriesOf(join(this.#root, model))
      if (current && names.includes(spareOf(current))) found.push([model, spareOf(current)])
    }
    return found
  }

  async #removeEntry(model: string, name: string): Promise<void> {
    await rm(join(this.#root, model, name), { recursive: true, force: true })
  }

  async #point(model: string, name: keyof SlotLinks, variant: Digest | null): Promise<void> {
    const path = join(this.#root, model, name)
    try {
      if (variant === null) await removeLink(path)
      else await pointLink(path, variant)
      this.#reach(`slot.${name}.pointed`)
    } catch (error) {
      throw storageError(error, `cannot point ${path}`)
    }
  }

  async #readLink(model: string, name: keyof SlotLinks): Promise<Digest | null> {
    const target = await readLink(join(this.#root, model, name))
    const parsed = digestSchema.safeParse(target)
    return parsed.success ? parsed.data : null
  }

  /** Where the slot is, or would be. */
  directory(model: string, variant: Digest): string {
    return join(this.#root, model, variant)
  }
}

const SPARE = '.spare'

function spareOf(slot: string): string {
  return `${slot}${SPARE}`
}

/** A slot, a spare copy of one, or the draft of either. */
function isSlotName(name: string): boolean {
  return name.endsWith('.new') || digestSchema.safeParse(name.replace(SPARE, '')).success
}

async function fileIn(directory: string): Promise<string | undefined> {
  const names = await entriesOf(directory)
  const file = modelFileAmong(names) ?? names.find((name) => name === MANIFEST_FILE)
  return file && join(directory, file)
}

/** Which variant lies in this folder, its bytes looked at. */
async function variantIn(folder: string): Promise<Digest | undefined> {
  try {
    const { variant } = parseJson(slotSchema, await readFile(join(folder, 'slot.json'), 'utf8'))
    return (await holds(folder, variant)) ? variant : undefined
  } catch {
    return undefined
  }
}

async function holds(directory: string, variant: Digest): Promise<boolean> {
  try {
    const file = await fileIn(directory)
    if (file && basename(file) === MANIFEST_FILE) return await isWhole(directory)
    return file !== undefined && (await digestOfFile(file)) === variant
  } catch {
    return false
  }
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw storageError(error, `cannot list ${directory}`)
  }
}

function printed(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
