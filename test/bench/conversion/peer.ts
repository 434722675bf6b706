import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { differenceOf } from '../../../planner/conversion/difference.ts'
import { turn } from '../../../planner/conversion/prove.ts'
import { generatedSample } from '../../../planner/conversion/samples.ts'
import { formatNpy } from '../../../shared/dataset/npy.ts'
import { messageOf } from '../../../shared/errors.ts'
import { loadRuntime } from '../../../shared/runtime/index.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import { latencyOf } from './latency.ts'

export interface PeerResult {
  readonly agrees: boolean
  readonly said: string
}

const TIMEOUT_MS = 120_000
const TOLERANCE = 1e-4

/** onnx2tf on the same bytes; its edges may stand channels last, in any order of outputs. */
export async function convertByPeer(python: string, bytes: Uint8Array): Promise<PeerResult> {
  const folder = mkdtempSync(join(tmpdir(), 'onnx2tf-'))
  try {
    const model = join(folder, 'model.onnx')
    writeFileSync(model, bytes)
    writeFileSync(join(folder, IMAGES), someImages())
    const argv = ['-m', 'onnx2tf', '-i', model, '-o', join(folder, 'out'), '-n']
    const limits = { cwd: folder, timeout: TIMEOUT_MS, maxBuffer: 2 ** 28 }
    await promisify(execFile)(python, argv, limits)
    const made = readdirSync(join(folder, 'out')).find((name) => name.endsWith('float32.tflite'))
    if (made === undefined) return { agrees: false, said: 'writes nothing' }
    return await judge(bytes, readFileSync(join(folder, 'out', made)))
  } catch (error) {
    return { agrees: false, said: `fails: ${lastWords(error).slice(0, 60)}` }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What it checks its own result on, which it would download: 20 images, 0 to 1, as NumPy stores them. */
const IMAGES = 'calibration_image_sample_data_20x128x128x3_float32.npy'

function someImages(): Uint8Array {
  const shape = [20, 128, 128, 3]
  const data = Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => 0.5 + 0.5 * Math.sin(i * 0.37),
  )
  return formatNpy({ type: 'float32', shape, data })
}

/** Of a Python program: the line that names the exception. */
function lastWords(error: unknown): string {
  const { stderr = '', killed = false } = error as { stderr?: string; killed?: boolean }
  if (killed) return `no end in ${TIMEOUT_MS / 1000} s`
  const lines = (stderr.trim() || messageOf(error)).split('\n')
  return (
    lines.findLast((line) => /^[\w.]*(Error|Exception|Interrupt)\b/.test(line)) ??
    lines.at(-1) ??
    ''
  )
}

async function judge(onnx: Uint8Array, tflite: Uint8Array): Promise<PeerResult> {
  const source = await (await loadRuntime('onnxruntime')).load(onnx)
  const theirs = await (await loadRuntime('litert')).load(tflite)
  try {
    const sample = generatedSample(source.inputs, 1)
    const expected = Object.values(await source.run(sample))
    const given = Object.values(sample)
    const inputs = theirs.inputs.map(({ name, shape }, i): [string, Tensor] => {
      const closed = shape.map((dim) => Math.max(1, dim))
      const fitting = given.find((one) => fits(one, closed)) ?? (given[i] as Tensor)
      return [name, inOrder(fitting, closed)]
    })
    const actual = Object.values(await theirs.run(Object.fromEntries(inputs)))
    const errors = expected.map((wanted) =>
      Math.min(...actual.map((got) => differenceOf(inOrder(got, wanted.shape), wanted))),
    )
    const error = Math.max(...errors)
    const agrees = error <= TOLERANCE
    return {
      agrees,
      said: agrees
        ? `${error.toExponential(1)}, ${(await latencyOf(tflite)).toFixed(1)} ms`
        : `differs by ${error.toExponential(1)}`,
    }
  } finally {
    await source.close()
    await theirs.close()
  }
}

function fits(tensor: Tensor, shape: readonly number[]): boolean {
  return inOrder(tensor, shape).shape.join() === shape.join()
}

/** As it is, or with its channels at the other end, whichever has the shape asked for. */
function inOrder(tensor: Tensor, shape: readonly number[]): Tensor {
  const rank = tensor.shape.length
  if (rank < 3 || tensor.shape.join() === shape.join()) return tensor
  const axes = Array.from({ length: rank }, (_, i) => i)
  const orders = [
    [0, ...axes.slice(2), 1],
    [0, rank - 1, ...axes.slice(1, -1)],
  ]
  const turned = orders.map((order) => turn(tensor, order))
  return turned.find((one) => one.shape.join() === shape.join()) ?? tensor
}
