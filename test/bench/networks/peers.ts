import { writeFile } from 'node:fs/promises'
import type { Dataset } from '../../../shared/dataset/index.ts'
import { quantizeByAeq } from '../quality/peers/ai-edge-quantizer.ts'
import { quantizeByOrt } from '../quality/peers/onnxruntime.ts'
import { withoutPeer } from '../quality/peers/python.ts'
import { type Judged, judge } from './judge.ts'

/** What a peer makes of the same file with the same samples. */
export interface PeerFigures {
  readonly bytes: number
  /** Of its whole process, imports included, as ours is counted with the start of the program. */
  readonly processorSeconds: number
  readonly peakBytes: number
  readonly judged: Judged | { readonly error: string }
}

export interface PeerTask {
  readonly float: string
  readonly model: Uint8Array
  readonly calibration: Dataset
  /** Path of samples that nobody calibrates with. */
  readonly test: string
  /** Where its file goes. */
  readonly output: string
}

type Peer = (task: PeerTask) => Promise<Omit<PeerFigures, 'judged'> & { readonly file: Uint8Array }>

/** The peer's nearest form of each of our schemes, its defaults where it has some. */
const PEERS: Readonly<Record<string, Readonly<Record<string, Peer>>>> = {
  tflite: {
    'static-w8a8': (task) => byAeq(task, 'static_wi8_ai8'),
    'static-w8a16': (task) => byAeq(task, 'static_wi8_ai16'),
    'dynamic-w8': (task) => byAeq(task, 'dynamic_wi8_afp32'),
  },
  onnx: {
    'static-w8a8-u8s8': (task) => byOrt(task, 'static'),
    'dynamic-w8': (task) => byOrt(task, 'dynamic'),
  },
}

/** Why peers are missing for a format; undefined where they can be asked. */
export async function peersMissing(format: string): Promise<string | undefined> {
  return format === 'tflite'
    ? await withoutPeer('ai-edge-quantizer', 'ai-edge-litert')
    : await withoutPeer('onnxruntime', 'onnx')
}

/** Null where the peer has no such form. */
export async function peerFigures(
  format: string,
  scheme: string,
  task: PeerTask,
): Promise<PeerFigures | { readonly error: string } | null> {
  const peer = PEERS[format]?.[scheme]
  if (peer === undefined) return null
  try {
    const { file, ...figures } = await peer(task)
    await writeFile(task.output, file)
    return { ...figures, judged: await judge(task.float, task.output, task.test) }
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    const said = stderr.trim().split('\n').at(-1)
    return { error: said || String(error) }
  }
}

async function byAeq(
  { model, calibration }: PeerTask,
  recipe: 'static_wi8_ai8' | 'static_wi8_ai16' | 'dynamic_wi8_afp32',
) {
  const { results, peakBytes, wholeProcessorSeconds } = await quantizeByAeq([
    { model, calibration, recipe },
  ])
  const [result] = results
  if (result === undefined || 'error' in result) throw new Error(result?.error ?? 'no answer')
  const { bytes } = result
  const processorSeconds = wholeProcessorSeconds
  return { file: bytes, bytes: bytes.length, processorSeconds, peakBytes }
}

async function byOrt({ model, calibration }: PeerTask, kind: 'static' | 'dynamic') {
  const job =
    kind === 'static'
      ? ({ kind, method: 'MinMax', prepare: false, calibration } as const)
      : ({ kind } as const)
  const { bytes, processorSeconds, peakBytes } = await quantizeByOrt(model, job)
  return { file: bytes, bytes: bytes.length, processorSeconds, peakBytes }
}
