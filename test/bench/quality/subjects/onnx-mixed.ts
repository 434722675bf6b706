import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { convertModel } from '../../../../planner/formats/convert.ts'
import { ratioToFloat } from '../../../../planner/quantizer/index.ts'
import { quantize, searchMixed } from '../../../../planner/variants/quantizer.ts'
import { type Dataset, readDataset, toDataset } from '../../../../shared/dataset/index.ts'
import { RuntimeError } from '../../../../shared/runtime/index.ts'
import { parseScheme, printScheme } from '../../../../shared/schemes.ts'
import { formatRatio } from '../../../../shared/units.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { quantizeByOrt } from '../peers/onnxruntime.ts'
import { withoutPeer } from '../peers/python.ts'
import { normalNumbers } from '../random.ts'
import type { QualityRow, QualitySubject } from '../subject.ts'
import { mobilenetFolder } from './mobilenet.ts'

interface Source {
  readonly name: string
  readonly model: Uint8Array
  readonly calibration: Dataset
}

/** Models whose operators are slow on integers: the mixed form that beats float32 on this machine, or none. */
export const onnxMixed: QualitySubject = {
  name: 'onnx-mixed',
  unavailable: () => (sharedData() === undefined ? WITHOUT_SHARED_DATA : undefined),
  run: async () => {
    const folder = mobilenetFolder()
    const trained = existsSync(join(folder, 'float32.tflite'))
    const sources = [
      await mnist(),
      await imported('ic01', mlperf('ic01_float32.tflite'), mlperf('ic01_calibration.npz')),
      ...(trained
        ? [
            await imported(
              'MobileNetV1-0.25',
              join(folder, 'float32.tflite'),
              join(folder, 'calibration.npz'),
            ),
          ]
        : []),
    ]
    const missing = await withoutPeer('onnxruntime')
    const rows: QualityRow[] = []
    for (const source of sources) {
      const peer = missing === undefined ? await ratioOfPeer(source) : '—'
      rows.push(await rowOf(source, peer))
    }
    const untrained = 'MobileNet is trained by the subject "mobilenet": run that before'
    return [
      {
        title: 'static-w8a8-u8s8 of .onnx models, latency of float32 in turns on one thread',
        columns: ['MODEL', 'QUANTIZE_STATIC', 'ALL ON INTEGERS', 'MIXED FORMS', 'WRITTEN'],
        rows,
        notes: [...(missing === undefined ? [] : [missing]), ...(trained ? [] : [untrained])],
      },
    ]
  },
}

/** The peer at the settings that suit this processor: U8S8, a scale per channel, after its own preparation. */
async function ratioOfPeer({ model, calibration }: Source): Promise<string> {
  const job = { kind: 'static', method: 'MinMax', prepare: true, calibration } as const
  const { bytes } = await quantizeByOrt(model, job)
  try {
    return formatRatio(await ratioToFloat('onnxruntime', model, bytes, calibration))
  } catch (error) {
    // Scales per channel in a model whose opset has none.
    if (error instanceof RuntimeError) return 'does not load'
    throw error
  }
}

async function rowOf({ name, model, calibration }: Source, peer: string): Promise<QualityRow> {
  const scheme = parseScheme('static-w8a8-u8s8')
  const request = { model, target: 'onnxruntime', scheme, calibration } as const
  const { result, report } = await searchMixed(request, await quantize(request))
  const [integer, ...mixed] = report.forms
  const ratios = mixed.map(({ ratio, inFloat }) => `${formatRatio(ratio)} (${inFloat.length})`)
  const { ship } = report.decision
  const written = ship === null ? undefined : report.forms[ship]
  return {
    cells: [
      name,
      peer,
      formatRatio(integer?.ratio ?? Number.NaN),
      ratios.join(', ') || '—',
      result === null ? 'nothing: float32 is faster' : printScheme(result.scheme),
    ],
    promise: { text: 'nothing slower than float32', kept: (written?.ratio ?? 0) < 1 },
  }
}

function mlperf(name: string): string {
  return join(sharedData() ?? '', 'mlperf-tiny', name)
}

async function imported(name: string, model: string, calibration: string): Promise<Source> {
  const bytes = new Uint8Array(await readFile(model))
  return {
    name,
    model: (await convertModel(bytes, 'tflite', 'onnx', name)).bytes,
    calibration: await readDataset(calibration),
  }
}

async function mnist(): Promise<Source> {
  const path = join(sharedData() ?? '', 'onnx', 'mnist.onnx')
  const shape = [32, 1, 28, 28]
  const data = normalNumbers(32 * 28 * 28, 1).map((value) => Math.abs(value) * 64)
  const x = { type: 'float32', shape, data } as const
  return {
    name: 'MNIST (two convolutions)',
    model: new Uint8Array(await readFile(path)),
    calibration: toDataset(new Map([['x', x]]), 'noise'),
  }
}
