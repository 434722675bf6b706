import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { reasonOf } from '../../../shared/errors.ts'
import { parseJson } from '../../../shared/json.ts'
import { DataFolderError } from '../errors.ts'
import { type LabelledBox, type LabelSet, stemOf } from './label-set.ts'

const cocoSchema = z.object({
  images: z.array(z.object({ id: z.union([z.number(), z.string()]), file_name: z.string() })),
  annotations: z.array(
    z.object({
      image_id: z.union([z.number(), z.string()]),
      category_id: z.number(),
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      iscrowd: z.number().optional(),
    }),
  ),
  categories: z.array(z.object({ id: z.number() })),
})

/** Instances of COCO: classes count from 0 in the order of their categories' ids, as detectors are trained. */
export async function readCoco(path: string): Promise<LabelSet> {
  const { images, annotations, categories } = await parsed(path)
  const order = categories.map(({ id }) => id).sort((a, b) => a - b)
  const classes = new Map(order.map((id, label) => [id, label]))
  const nameOf = new Map(images.map(({ id, file_name }) => [id, stemOf(file_name)]))
  const boxes = new Map<string, LabelledBox[]>(images.map((one) => [stemOf(one.file_name), []]))
  for (const { image_id, category_id, bbox, iscrowd } of annotations) {
    const name = nameOf.get(image_id)
    const label = classes.get(category_id)
    if (label === undefined) {
      throw new DataFolderError(
        'wrong-labels',
        `${path}: an annotation has category ${category_id}, which is none of its categories`,
        { path },
      )
    }
    const [left, top, w, h] = bbox
    const box = { label, left, top, right: left + w, bottom: top + h, crowd: iscrowd === 1 }
    boxes.get(name ?? '')?.push(box)
  }
  return { kind: 'boxes', names: new Set(boxes.keys()), of: (name) => boxes.get(name) ?? [] }
}

async function parsed(path: string): Promise<z.output<typeof cocoSchema>> {
  try {
    return parseJson(cocoSchema, await readFile(path, 'utf8'))
  } catch (cause) {
    throw new DataFolderError(
      'wrong-labels',
      `${path} holds no COCO instances (${reasonOf(cause)}): it needs images, annotations with bbox, categories`,
      { path },
      { cause },
    )
  }
}
