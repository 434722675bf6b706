import { z } from 'zod'
import { type Dataset, DatasetError, type LabelKind } from '../../../shared/dataset/index.ts'
import { DataFolderError, readSamples } from '../../data-folders/index.ts'
import type { CliOption } from '../program/command.ts'

/** How files of a folder become samples. */
export const FOLDER_OPTIONS: readonly CliOption[] = [
  {
    flags: '--preprocess <line>',
    description:
      'what becomes of images or WAV files of a folder, e.g. "resize 416 letterbox 114, bgr, nchw, 0-255" (default: preprocessing.txt in it)',
  },
  {
    flags: '--labels <path>',
    description: 'labels of these files: a folder of YOLO text, COCO .json, or .csv',
  },
]

export const folderInput = {
  preprocess: z.string().optional(),
  labels: z.string().optional(),
}
type FolderInput = z.output<z.ZodObject<typeof folderInput>>

/** Samples of an .npz or of a folder. @throws DatasetError, DataFolderError */
export function readData(path: string, input: FolderInput, kind: LabelKind): Promise<Dataset> {
  return readSamples(path, { preprocess: input.preprocess, labels: input.labels, kind })
}

/** What does not fit the model's input was made so by the line: it is told with it. */
export async function blamingLine<T>(
  { preprocess }: FolderInput,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DatasetError) || error.code !== 'wrong-shape') throw error
    if (preprocess === undefined) throw error
    throw new DataFolderError(
      'wrong-preprocessing',
      `${error.message} (the preprocessing line "${preprocess}" makes them: its size, gray, rgb and bgr, nchw and nhwc must be what the model takes)`,
      {},
      { cause: error },
    )
  }
}

/** Where test samples have the labels, calibration samples need none. */
export function calibrationInput(
  input: FolderInput & { readonly test?: string | undefined },
): FolderInput {
  return input.test === undefined ? input : { ...input, labels: undefined }
}
