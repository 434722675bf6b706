import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { DataFolderError } from '../errors.ts'
import { readCoco } from './coco.ts'
import { readCsv } from './csv.ts'
import type { LabelSet } from './label-set.ts'
import { readYolo } from './yolo.ts'

const BY_ENDING: Readonly<Record<string, (path: string) => Promise<LabelSet>>> = {
  '.json': readCoco,
  '.csv': readCsv,
}

/**
 * Labels of files: a folder of YOLO text, COCO JSON or CSV.
 * @param files that are to be labelled, without ending
 * @throws DataFolderError `wrong-labels` where they are of other files
 */
export async function readLabelSet(path: string, files: readonly string[]): Promise<LabelSet> {
  const labels = await open(path)
  if (files.some((file) => labels.names.has(file))) return labels
  const [other = 'nothing'] = labels.names
  throw new DataFolderError(
    'wrong-labels',
    `the labels in ${path} are of other files: none of ${files.length} names among them (${files[0]}, for one; they have ${other})`,
    { path },
  )
}

async function open(path: string): Promise<LabelSet> {
  const there = await stat(path).catch((cause: unknown) => {
    throw new DataFolderError('wrong-labels', `there are no labels at ${path}`, { path }, { cause })
  })
  if (there.isDirectory()) return await readYolo(path)
  const reader = BY_ENDING[extname(path).toLowerCase()]
  if (reader !== undefined) return await reader(path)
  throw new DataFolderError(
    'wrong-labels',
    `${path} is no labels file: give a folder of YOLO text, a COCO .json, a .csv, or arrays in one .npz with the samples`,
    { path },
  )
}
