import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import {
  type Dataset,
  DatasetError,
  type LabelKind,
  readDataset,
  toDataset,
} from '../../shared/dataset/index.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../shared/tensors.ts'
import { DataFolderError } from './errors.ts'
import { IMAGE_ENDINGS, openDecoder } from './images.ts'
import { boxesTensor, type PlacedBox, valuesTensor } from './label-arrays.ts'
import { type ImageSize, type LabelledBox, stemOf } from './labels/label-set.ts'
import { readLabelSet } from './labels/read-labels.ts'
import { type Placement, placementOf, toTensor } from './pixels.ts'
import { type Preprocessing, parsePreprocessing } from './preprocessing.ts'
import { soundTensor } from './sounds.ts'
import { readWav } from './wav.ts'

/** Kept with the files that it is for. */
const LINE_FILE = 'preprocessing.txt'

export interface SampleOptions {
  /** What becomes of each file; what lies in the folder where absent. */
  readonly preprocess?: string | undefined
  /** Labels of files: YOLO text, COCO JSON, CSV. */
  readonly labels?: string | undefined
  /** How `y` of an .npz is read. */
  readonly kind?: LabelKind
  readonly onProgress?: (done: number, total: number) => void
}

/** A file of a folder as a sample, with what its labels need. */
interface Sample {
  readonly tensor: Tensor
  readonly size: ImageSize
  readonly placement: Placement
}

/**
 * Samples of an .npz file, or of a folder of images or WAV files in the order of their names.
 * @throws DatasetError, DataFolderError
 */
export async function readSamples(path: string, options: SampleOptions = {}): Promise<Dataset> {
  const there = await stat(path).catch(() => null)
  if (there?.isDirectory()) return await readFolder(path, options)
  const needless = options.preprocess ?? options.labels
  if (needless === undefined)
    return await readDataset(path, options.kind && { labels: options.kind })
  throw new DataFolderError(
    'wrong-preprocessing',
    `${path} holds arrays: --preprocess and --labels are for folders of images or WAV files`,
    { path },
  )
}

async function readFolder(folder: string, options: SampleOptions): Promise<Dataset> {
  const preprocessing = parsePreprocessing(await lineOf(folder, options))
  const { files, classes } = await filesIn(folder)
  const read = await readerFor(files, preprocessing)
  const names = files.map(stemOf)
  const labels = options.labels === undefined ? null : await readLabelSet(options.labels, names)
  const tensors: Tensor[] = []
  const boxes: PlacedBox[][] = []
  const values: (number | undefined)[] = []
  for (const [i, file] of files.entries()) {
    const { tensor, size, placement } = await read(file)
    tensors.push(tensor)
    const name = names[i] as string
    if (labels?.kind === 'boxes')
      boxes.push(labels.of(name, size).map((box) => placed(box, placement)))
    if (labels?.kind === 'values') values.push(labels.of(name))
    options.onProgress?.(i + 1, files.length)
  }
  const arrays = new Map([['x', stacked(tensors, files, preprocessing)]])
  if (labels?.kind === 'boxes') arrays.set('y.boxes', boxesTensor(boxes))
  else if (labels?.kind === 'values')
    arrays.set('y', valuesTensor(values, names, options.labels ?? ''))
  else if (classes !== null) arrays.set('y', valuesTensor(classes, names, folder))
  return toDataset(arrays, folder, 'any')
}

/** @throws DataFolderError `no-preprocessing` */
async function lineOf(folder: string, { preprocess }: SampleOptions): Promise<string> {
  if (preprocess !== undefined) return preprocess
  try {
    return (await readFile(join(folder, LINE_FILE), 'utf8')).trim()
  } catch (cause) {
    throw new DataFolderError(
      'no-preprocessing',
      `nothing says what the model takes of ${folder}: give --preprocess, e.g. "resize 416 letterbox 114, bgr, nchw, 0-255", or write that into ${join(folder, LINE_FILE)}`,
      { folder },
      { cause },
    )
  }
}

/** Images or sounds; where the folder has sub-folders instead, each is a class, in the order of their names. */
async function filesIn(
  folder: string,
): Promise<{ files: readonly string[]; classes: readonly number[] | null }> {
  const own = await samplesIn(folder)
  if (own.length > 0) return { files: own, classes: null }
  const entries = await readdir(folder, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const sorted = folders.sort()
  const found = await Promise.all(sorted.map((name) => samplesIn(join(folder, name))))
  const files = found.flat()
  if (files.length > 0)
    return { files, classes: found.flatMap((list, label) => list.map(() => label)) }
  throw new DataFolderError(
    'no-files',
    `${folder} holds no images (${[...IMAGE_ENDINGS].join(', ')}) and no .wav files`,
    { folder },
  )
}

async function samplesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder)
  const fits = (file: string) => {
    const ending = extname(file).toLowerCase()
    return !file.startsWith('.') && (IMAGE_ENDINGS.has(ending) || ending === '.wav')
  }
  return files
    .filter(fits)
    .sort()
    .map((file) => join(folder, file))
}

async function readerFor(files: readonly string[], preprocessing: Preprocessing) {
  const sounds = files.filter((file) => extname(file).toLowerCase() === '.wav')
  if (sounds.length > 0 && sounds.length < files.length) {
    throw new DataFolderError(
      'no-files',
      `images and WAV files lie together: keep them apart (${sounds[0]})`,
    )
  }
  if (sounds.length > 0) {
    const none = { width: 0, height: 0 }
    return async (path: string): Promise<Sample> => {
      const sound = readWav(await readFile(path), path)
      const tensor = soundTensor(sound, preprocessing, path)
      return { tensor, size: none, placement: placementOf(none, null) }
    }
  }
  const decode = await openDecoder()
  return async (path: string): Promise<Sample> => {
    const image = await decode(path)
    const placement = placementOf(image, preprocessing.resize)
    return { tensor: toTensor(image, preprocessing), size: image, placement }
  }
}

function placed(box: LabelledBox, { scaleX, scaleY, offsetX, offsetY }: Placement): PlacedBox {
  return {
    ...box,
    left: box.left * scaleX + offsetX,
    right: box.right * scaleX + offsetX,
    top: box.top * scaleY + offsetY,
    bottom: box.bottom * scaleY + offsetY,
  }
}

/** @throws DatasetError `wrong-shape` where files differ in size and nothing makes them alike */
function stacked(
  tensors: readonly Tensor[],
  files: readonly string[],
  { resize }: Preprocessing,
): Tensor {
  const [first] = tensors as [Tensor]
  const { type, shape } = first
  const size = sizeOf(shape)
  const data = new ARRAY_OF[type](tensors.length * size)
  for (const [i, tensor] of tensors.entries()) {
    if (tensor.shape.join() !== shape.join()) {
      const sound = shape.length === 1
      const advice = sound ? 'add e.g. "seconds 1"' : 'add e.g. "resize 224"'
      throw new DatasetError(
        'wrong-shape',
        `${files[i]} is ${tensor.shape.join('×')} and ${files[0]} ${shape.join('×')}: ${resize === null ? advice : 'they must be alike'}`,
      )
    }
    data.set(tensor.data as never, i * size)
  }
  return { type, shape: [tensors.length, ...shape], data }
}
