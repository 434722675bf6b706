import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { convertModel } from '../../../../planner/formats/convert.ts'
import { ImportError } from '../../../../planner/formats/onnx/import/index.ts'
import { readOnnx, writeOnnx } from '../../../../planner/formats/onnx/index.ts'
import { QuantizerError } from '../../../../planner/quantizer/index.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { type Dataset, toDataset } from '../../../../shared/dataset/index.ts'
import { onnxruntime } from '../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../../../shared/tensors.ts'
import { numbers } from '../../../planner/quantizer/model-builder.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { encoder } from '../models/encoder.ts'
import { checkByOnnx } from '../peers/onnx-checker.ts'
import { withoutPeer } from '../peers/python.ts'
import type { QualityRow, QualitySubject } from '../subject.ts'

const SCHEMES = [
  'float16',
  'dynamic-w8',
  'dynamic-w8-rr',
  'weight-w4-b32',
  'static-w8a8-u8s8',
  'static-w8a8-u8s8-rr',
  'static-w8a8-s8s8',
  'static-w8a8-u8s8-iou8',
] as const
const SAMPLES = 4

/** Whatever .onnx we write, the standard's own checker accepts. */
export const onnxChecker: QualitySubject = {
  name: 'onnx-checker',
  unavailable: () => (sharedData() === undefined ? WITHOUT_SHARED_DATA : undefined),
  run: async () => {
    const title = '.onnx files we write, before onnx.checker (full) and strict shape inference'
    const missing = await withoutPeer('onnx')
    if (missing !== undefined) return [{ title, columns: [], rows: [], notes: [missing] }]
    const { models, refused } = await sources()
    const files: { readonly model: string; readonly scheme: string; readonly bytes: Uint8Array }[] =
      []
    for (const [model, source] of models) {
      files.push({ model, scheme: 'float32', bytes: source })
      const calibration = await noiseFor(source)
      for (const scheme of SCHEMES) {
        const bytes = await quantized(source, scheme, calibration)
        if (bytes !== null) files.push({ model, scheme, bytes })
      }
    }
    const complaints = await checkByOnnx(files.map(({ bytes }) => bytes))
    const rows = ['float32', ...SCHEMES].map((scheme): QualityRow => {
      const mine = files.flatMap((file, i) =>
        file.scheme === scheme ? [[file.model, complaints[i]] as const] : [],
      )
      const bad = mine.flatMap(([model, complaint]) =>
        complaint ? [`${model}: ${complaint}`] : [],
      )
      return {
        cells: [scheme, String(mine.length), String(bad.length), bad[0]?.slice(0, 120) ?? ''],
        promise: { text: 'all accepted', kept: bad.length === 0 && mine.length > 0 },
      }
    })
    return [
      {
        title: `${title}: ${models.size} models`,
        columns: ['SCHEME', 'FILES', 'REFUSED', 'THE FIRST'],
        rows,
        notes: [`not imported, for they are quantized: ${refused.join(', ')}`],
      },
    ]
  },
}

/** Written again by us as they are: .onnx sources, and .tflite ones as they are imported. */
async function sources(): Promise<{ models: Map<string, Uint8Array>; refused: string[] }> {
  const root = sharedData() ?? ''
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const paths = [
    ...names.filter((name) => /\.(onnx|tflite)$/.test(name)).map((name) => join(root, name)),
    join('planner', 'demo', 'motor-faults', 'model.tflite'),
  ]
  const models = new Map([['encoder', encoder()]])
  const refused: string[] = []
  for (const path of paths) {
    const bytes = new Uint8Array(readFileSync(path))
    const name = path.split('/').at(-1) ?? path
    try {
      const tflite = name.endsWith('.tflite')
      models.set(
        name,
        tflite
          ? (await convertModel(bytes, 'tflite', 'onnx', name)).bytes
          : writeOnnx(readOnnx(bytes)),
      )
    } catch (error) {
      if (!(error instanceof ImportError)) throw error
      refused.push(name)
    }
  }
  return { models, refused }
}

async function noiseFor(model: Uint8Array): Promise<Dataset> {
  const session = await onnxruntime.load(model)
  const arrays = session.inputs.map(({ name, type, shape }): [string, Tensor] => {
    const batch = [SAMPLES, ...shape.map((dim) => (dim < 0 ? 1 : dim))]
    const floats = numbers(batch)
    const data = type === 'float32' ? floats : new ARRAY_OF[type](sizeOf(batch))
    return [name, { type, shape: batch, data }]
  })
  await session.close()
  return toDataset(new Map(arrays), 'noise')
}

/** Null where the scheme has nothing to do in the model. */
async function quantized(
  model: Uint8Array,
  scheme: string,
  calibration: Dataset,
): Promise<Uint8Array | null> {
  try {
    return (
      await quantize({ model, target: 'onnxruntime', scheme: parseScheme(scheme), calibration })
    ).bytes
  } catch (error) {
    const nothing = error instanceof QuantizerError && /^nothing-/.test(error.code)
    if (nothing) return null
    throw error
  }
}
