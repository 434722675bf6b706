import { basename, extname } from 'node:path'

/** A labelled box in pixels of its image. */
export interface LabelledBox {
  readonly label: number
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly crowd: boolean
}

export interface ImageSize {
  readonly width: number
  readonly height: number
}

/** Labels of files, by their name without folder and ending. */
export type LabelSet =
  | {
      readonly kind: 'boxes'
      readonly names: ReadonlySet<string>
      /** Files without an entry hold no object. @param size of the image, which shares are shares of */
      of(name: string, size: ImageSize): readonly LabelledBox[]
    }
  | {
      readonly kind: 'values'
      readonly names: ReadonlySet<string>
      /** Undefined where the file has no label. */
      of(name: string): number | undefined
    }

/** By which files and their labels know each other. */
export function stemOf(file: string): string {
  return basename(file, extname(file))
}
