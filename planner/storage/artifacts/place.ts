import { join } from 'node:path'
import type { Digest } from '../../../shared/digest.ts'

/** A file on this machine that stays where it is until it is released. */
export interface Held {
  readonly path: string
  release(): void
}

/** Where artifacts lie: whole, and never another than their names say. */
export interface ArtifactPlace {
  /** For people: a folder, or `s3://bucket/prefix`. */
  readonly name: string
  /** Whether all of them lie on this machine. */
  readonly isHere: boolean
  /** A folder on this machine, for drafts. */
  readonly drafts: string
  /** Durable when it resolves; the draft is gone then. */
  keep(draft: string, digest: Digest): Promise<void>
  /** Undefined when there is none. */
  hold(digest: Digest): Promise<Held | undefined>
  /** The same of what lies on this machine: no network is asked. */
  holdHere(digest: Digest): Promise<Held | undefined>
  has(digest: Digest): Promise<boolean>
  remove(digest: Digest): Promise<void>
}

/** `ab/abcd…`: alike in folders and in buckets, so that one is a copy of the other. */
export function pathIn(root: string, digest: Digest): string {
  return join(root, keyOf(digest))
}

export function keyOf(digest: Digest): string {
  return `${digest.slice(0, 2)}/${digest}`
}
