import { z } from 'zod'
import { digestSchema } from '../digest-schema.ts'
import { openWord, wordSchema } from '../open-words.ts'
import { isAtLeast } from '../releases.ts'
import { RUNTIME_NAMES } from '../runtime/index.ts'

/** The member of a package, and the file of a slot, that says what the others are. */
export const MANIFEST_FILE = 'runtime.json'

/** All files of a package together, unpacked: OpenVINO with every plugin takes a third of it. */
export const MAX_UNPACKED_BYTES = 512 * 2 ** 20
export const MAX_MANIFEST_BYTES = 128 * 1024

/** No part begins with a dot or is empty: it leads nowhere but into the folder it is joined to. */
const pathSchema = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_+-][A-Za-z0-9._+-]*(?:\/[A-Za-z0-9_+-][A-Za-z0-9._+-]*){0,8}$/)
  .refine((path) => path !== MANIFEST_FILE, 'the manifest does not name itself')

const fileSchema = z.object({
  path: pathSchema,
  bytes: z.number().int().positive().max(MAX_UNPACKED_BYTES),
  digest: digestSchema,
})

/** `glibc 2.27`: the oldest it runs with. */
const libcSchema = z.string().regex(/^(?:musl|glibc \d{1,3}\.\d{1,3})$/)

export const runtimeManifestSchema = z
  .object({
    v: z.literal(1),
    runtime: openWord(RUNTIME_NAMES),
    version: wordSchema,
    /** As Node names architectures. */
    architecture: wordSchema,
    /** Null where its library does not tell. */
    libc: libcSchema.nullable(),
    /** The file that is opened; the others are what it needs, and licences. */
    library: pathSchema,
    licenses: z.array(pathSchema).max(64),
    files: z.array(fileSchema).min(1).max(256),
    /** Name of the file the operator handed over. */
    source: z.string().min(1).max(255),
  })
  .superRefine(({ files, library, licenses }, context) => {
    const paths = files.map(({ path }) => path)
    const problem =
      new Set(paths).size < paths.length
        ? 'names a file twice'
        : [library, ...licenses].every((path) => paths.includes(path))
          ? files.reduce((sum, { bytes }) => sum + bytes, 0) > MAX_UNPACKED_BYTES &&
            'is too large unpacked'
          : 'names a library or a license that is none of its files'
    if (problem) context.addIssue({ code: 'custom', message: problem })
  })
export type RuntimeManifest = z.infer<typeof runtimeManifestSchema>

export function unpackedBytes({ files }: Pick<RuntimeManifest, 'files'>): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}

export function libraryDigest({ files, library }: RuntimeManifest): string {
  return files.find(({ path }) => path === library)?.digest ?? ''
}

/**
 * Whether a package that needs `needed` may start on a device that says it has `present`. Where either is not
 * known it may: the device opens it in a child process before it relies on it.
 */
export function fitsLibc(needed: string | null, present: string | null): boolean {
  if (needed === null || present === null) return true
  const [kind, version] = needed.split(' ')
  const [presentKind, presentVersion] = present.split(' ')
  if (kind !== presentKind) return false
  if (version === undefined || presentVersion === undefined) return true
  return isAtLeast(presentVersion, version)
}
